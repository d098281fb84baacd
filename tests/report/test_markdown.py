"""Markdown to the letter, within its limit, and inert."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate.report.markdown import marker, render
from tests.gate.calls import V3
from tests.measure.builders import V2
from tests.report.hostile import TEXT, hostile
from tests.report.test_text import verdict_of

RED = (Path(__file__).parent / "red.md").read_text("utf-8")


def test_a_red_report() -> None:
    assert render([verdict_of(V3)], build="v3") == RED


def test_a_green_report_says_so_first() -> None:
    lines = render([verdict_of(V2)], build="v2").splitlines()
    assert lines[:4] == [
        "<!-- lkgate: v2 -->",
        "### ✅ PASS: v2",
        "",
        "clinic intake, 18 rules, 8 calls, gate `gates/demo.yaml`",
    ]


def test_the_marker_cannot_end_itself() -> None:
    about = ["a --> b", "gates/c.yaml", "d; e"]
    assert marker(about) == "<!-- lkgate: a %2D%2D%3E b; gates/c.yaml; d%3B e -->"


@given(st.integers(400, 8_000))
@settings(max_examples=20)
def test_it_keeps_to_its_limit_and_says_what_it_left_out(limit: int) -> None:
    text = render([verdict_of(V3), verdict_of(V2)], build="v3", limit=limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    whole = render([verdict_of(V3), verdict_of(V2)], build="v3")
    assert (text == whole) == ("longer than fits" not in text)


@given(st.text(max_size=80))
@settings(max_examples=15)
def test_whatever_a_call_says_is_text(said: str) -> None:
    for text in (said, TEXT):
        made = render([hostile(text)], build=text)
        # Of tags and comments there are only our own; code spans hold anything.
        prose = re.sub(r"`[^`\n]*`", "", made)
        assert set(re.findall(r"<[^>]*>", prose)) <= {
            "<details>", "</details>", "<summary>", "</summary>", made.splitlines()[0],
        }  # fmt: skip
        below = "\n".join(prose.splitlines()[1:])
        assert "@" not in below
        assert "://" not in below
        assert "www." not in below
        assert not re.search(r"(?<!&)#\d", below)
        # Nothing of it begins a line, where it could be a command of the runner.
        assert not re.search(r"^::", made, re.MULTILINE)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", made)
