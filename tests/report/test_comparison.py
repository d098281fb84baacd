"""What differs between two sessions, to the letter."""

from __future__ import annotations

from dataclasses import replace

from lkgate.diff.comparison import compare
from lkgate.measure.session import session_of
from lkgate.report.comparison import render
from tests.diff.test_call import BOOK, CALL
from tests.measure.builders import V1, V2, Agent, Step, play


def told(build: Agent, steps: list[Step], *, verbose: bool = False) -> str:
    old, new = session_of(play(CALL, V1), None), session_of(play(steps, build), None)
    return render(compare(old, new), verbose=verbose).plain


def test_the_same() -> None:
    assert told(V1, CALL) == "  nothing differs\n"


def test_words_tools_and_numbers() -> None:
    late = replace(BOOK, tools=(("book", {"day": "tuesday", "time": "9:00"}, "A1"),))
    text = told(V2, [*CALL[:2], late, CALL[3]])
    assert text == (
        "  tools\n"
        '    0:18.4  book $.day: "monday" became "tuesday"\n'
        "  words\n"
        "    0:01.0  the agent: other words, 25% the same\n"
        "            - Clinic, how can I help?\n"
        "            + Good morning, this is the clinic. What can I do for you?\n"
        "    0:18.7  the agent: other words, 17% the same\n"
        "            - You are booked.\n"
        "            + Lovely, that is booked for you.\n"
        "  latencies\n"
        "    0:07.3  answered 200 ms sooner (end_of_turn)\n"
        "    0:11.8  answered 200 ms sooner (end_of_turn)\n"
        "    0:18.7  answered 200 ms sooner (end_of_turn)\n"
        "    0:25.5  answered 200 ms sooner (end_of_turn)\n"
        '  another conversation from 0:18.4 on: book $.day: "monday" became "tuesday"\n'
        "  numbers\n"
        "    response_latency   1.20 s -> 1.00 s (-200 ms)\n"
        "    end_of_turn_delay  700 ms -> 500 ms (-200 ms)\n"
        "    and 4 other numbers (--verbose)\n"
    )
    every = told(V2, [*CALL[:2], late, CALL[3]], verbose=True)
    assert "(--verbose)" not in every
    assert every.count("\n") == text.count("\n") + 3


def test_a_hostile_call_is_inert() -> None:
    bad = replace(CALL[0], says="\x1b[2Jgone\u202e\r" + "x" * 10_000)
    text = told(V1, [bad, *CALL[1:]])
    assert not set(text) & {"\x1b", "\u202e", "\r"}
    assert max(map(len, text.splitlines())) <= 500
