"""A session to read: what is long is cut, and nothing does anything to a terminal."""

from __future__ import annotations

from lkgate.measure import measure, turns_of
from lkgate.report.session import numbers, render
from tests.measure.builders import bundle, said, span, tool


def test_what_is_long_is_cut_and_says_so() -> None:
    session = bundle(
        caller=[span(1, 2)],
        agent=[span(3, 4)],
        events=[
            (2.5, *said("user", "a\x1b[2J" + "b" * 9_999_996)),
            (2.6, *tool("book", {"x": "c" * 20_000}, "d" * 20_000, call_id="1")),
            (4.5, *said("assistant", "Yes.")),
        ],
    )
    turns = turns_of(session)
    lines = render(session, turns, measure(session, turns, None)).plain.splitlines()
    caller = next(line for line in lines if "caller  a" in line)
    assert "caller  a\ufffd[2J" + "b" * 9_995 + "\u2026 [9,990,001 more characters]" in (caller)
    assert "  answered after " in caller
    called = next(line for line in lines if "tool at" in line)
    assert called.count("more characters]") == 2
    assert called.endswith("d\u2026 [10,000 more characters]")
    assert any("agent   Yes." in line for line in lines)


def test_numbers_have_reasons_on_one_line() -> None:
    session = bundle(caller=[span(1, 2)], absent={"session": "none\x1b[2J\nhere"})
    found = numbers(measure(session, turns_of(session), None)).plain
    assert "no data: none\ufffd[2J here\n" in found
