"""What a call says does nothing to a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from lkgate.report.inert import clipped, visible, visible_lines
from lkgate.report.text import render
from tests.report.hostile import TEXT, hostile


@given(st.text(st.characters()))
def test_one_line_of_the_same_length_and_no_control(text: str) -> None:
    made = visible(text)
    assert len(made) == len(text)
    assert len(made.splitlines()) <= 1
    assert not {unicodedata.category(one) for one in made} & {"Cc", "Cs", "Zl", "Zp"}
    assert visible(made) == made
    made.encode()  # a file can hold it


def test_what_turns_the_reading_direction_is_gone() -> None:
    assert visible("a\u202eb\u2066c\td\x1b[2J") == "a\ufffdb\ufffdc d\ufffd[2J"


def test_line_ends_that_are_meant_stay() -> None:
    assert visible_lines("a\nb\x07\r\nc") == "a\nb\ufffd \nc"


@given(st.text(max_size=30), st.integers(1, 20))
def test_clipped_fits(text: str, limit: int) -> None:
    assert len(clipped(text, limit)) <= limit
    assert (clipped(text, limit) == text) == (len(text) <= limit)


@settings(max_examples=15)
@given(st.text(max_size=60))
def test_the_terminal_report_has_as_many_lines_whatever_a_call_says(said: str) -> None:
    calm = render(hostile("calm"), build="v3", digest="0" * 64)
    text = render(hostile(TEXT.replace("\n", " ").replace("\r", " ")), build=TEXT, digest="0" * 64)
    assert isinstance(text, Text)
    assert len(text.plain.splitlines()) == len(calm.plain.splitlines())
    told = "x" + said.replace("\n", "").strip()
    made = render(hostile(told), build=told, digest="0" * 64).plain
    assert "\x1b" not in made
    assert "\u202e" not in made


def test_ten_megabytes_in_one_turn_are_a_short_report() -> None:
    assert len(render(hostile("a" * 10_000_000), build="v3", digest="0" * 64).plain) < 500_000
