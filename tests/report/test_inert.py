"""What a call says does nothing to a terminal, and nothing to what reads a job's log."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lkgate.report.inert import clipped, json_text, visible, visible_lines, without_commands
from lkgate.report.text import render
from tests.report.hostile import TEXT, commands, hostile, moving

# White space, what weighs nothing, and what commands are made of.
LOG = st.text(st.sampled_from(" \t\n\r\u3000\u200b\u200d\ufe0f\xad\ufffd:#[a.") | st.characters())


@given(LOG)
@example(TEXT)
@example("#\u200d#\ufe0f[x] ###[y ##vso[z]")
def test_one_line_of_the_same_length_that_does_nothing(text: str) -> None:
    made = visible(text)
    assert len(made) == len(text)
    assert len(made.splitlines()) <= 1
    assert not moving(made)
    assert not commands(made)
    assert visible(made) == made
    made.encode()  # a file can hold it


@given(LOG)
def test_a_text_of_many_lines_commands_nothing_and_is_otherwise_as_it_was(text: str) -> None:
    made = without_commands(text)
    assert not commands(made)
    assert made.replace("\u2236", ":").replace("\u266f", "#") == text.replace(
        "\u2236", ":"
    ).replace("\u266f", "#")
    assert (made == text) == (not commands(text))


@given(st.recursive(LOG, lambda inner: st.lists(inner) | st.dictionaries(LOG, inner)))
def test_json_is_the_same_value_and_inert(value: Any) -> None:
    for indent in (None, 2):
        text = json_text(value, indent=indent)
        assert json.loads(text) == value
        assert not commands(text)
        assert not moving(text)
        text.encode()


def test_what_people_write_stays() -> None:
    for said in (
        "std::vector at [::1]:80",
        "## [x] #1",
        "\u06a9\u200c\u06a9 👩\u200d💻 ❤\ufe0f",
        "a\u00a0b",
    ):
        assert visible(said) == said


def test_what_hides_or_turns_the_reading_direction_is_seen() -> None:
    assert visible("a\u202eb\u2066c\td\x1b[2J") == "a\ufffdb\ufffdc d\ufffd[2J"
    hidden = "\u061c\u200b\u200e\u200f\u2060\ufeff\xad\U000e0041\x9b"
    assert visible(hidden) == "\ufffd" * len(hidden)


def test_line_ends_that_are_meant_stay() -> None:
    assert visible_lines("a\nb\x07\r\nc") == "a\nb\ufffd \nc"


@given(st.text(max_size=30), st.integers(1, 20))
def test_clipped_fits(text: str, limit: int) -> None:
    assert len(clipped(text, limit)) <= limit
    assert (clipped(text, limit) == text) == (len(text) <= limit)


@settings(max_examples=8)
@given(st.text(max_size=60))
def test_the_terminal_report_has_as_many_lines_whatever_a_call_says(said: str) -> None:
    calm = render(hostile("calm"), build="v3", digest="0" * 64)
    for told in (said, TEXT):
        # Of a message and of a failure, line ends are meant.
        line = "x" + " ".join(told.split())
        made = render(hostile(line), build=line, digest="0" * 64)
        assert made.plain.count("\n") == calm.plain.count("\n")
        made = render(hostile(told), build=told, digest="0" * 64, verbose=True)
        assert not moving(made.plain)
        assert not commands(made.plain)


def test_ten_megabytes_in_one_turn_are_a_short_report() -> None:
    assert len(render(hostile("a" * 10_000_000), build="v3", digest="0" * 64).plain) < 500_000
