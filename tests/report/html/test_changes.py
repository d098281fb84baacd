"""What changed between two texts and two tools' arguments, and what is said of that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lkgate.report.html.changes import Changes, arguments, words


def test_words_that_changed_stand_between_those_that_did_not() -> None:
    assert words("Tuesday at half past two.", "Tuesday at two.") == Changes(
        (("same", "Tuesday at"), ("old", "half past"), ("same", "two.")), ""
    )
    assert words(None, "Goodbye.") == Changes((("new", "Goodbye."),), "")
    assert words(None, None) == Changes((), "")


@given(*[st.lists(st.sampled_from(["ab", "cd", "ef", "g"]), max_size=30)] * 2)
def test_the_pieces_are_both_texts(was: list[str], now: list[str]) -> None:
    pieces = words(" ".join(was), " ".join(now)).pieces
    assert " ".join(text for kind, text in pieces if kind != "new").split() == was
    assert " ".join(text for kind, text in pieces if kind != "old").split() == now


def test_a_text_that_repeats_itself_is_not_compared_word_by_word() -> None:
    made = words("a " * 2000, "a b " * 1000)
    assert [kind for kind, _ in made.pieces] == ["same", "old", "new"]
    assert made.note == "they repeat themselves too often to be compared word by word"
    same = words("a " * 2000, "a " * 2000)
    assert ([kind for kind, _ in same.pieces], same.note) == (["same"], "")
    prose = [f"word{n * n % 97}" for n in range(500)]
    assert words(" ".join(prose), " ".join(prose[::-1])).note == ""


def test_what_is_cut_off_is_said() -> None:
    made = words("a" * 10_000_000, "b" * 5)
    assert made.note == "only the first 4000 of 10000000 characters are shown"
    assert sum(len(text) for _, text in made.pieces) == 4005
    made = words("word " * 1000 + "yes", "word " * 1000 + "no")
    assert made.note == "only the first 4000 of 5003 characters are shown; they differ beyond that"


def test_arguments_a_line_an_argument() -> None:
    assert arguments({"day": "tuesday", "time": "14:30"}, {"day": "tuesday", "time": "02:30"}) == (
        Changes(
            (("same", 'day: "tuesday"'), ("old", 'time: "14:30"'), ("new", 'time: "02:30"')), ""
        )
    )
    assert arguments(None, [1]) == Changes((("new", "[1]"),), "")


def test_long_arguments_that_differ_where_nobody_sees_it() -> None:
    made = arguments({"note": "a" * 500 + "1"}, {"note": "a" * 500 + "2"})
    assert [kind for kind, _ in made.pieces] == ["same"]
    assert made.note == "not all of the arguments is shown; they differ beyond that"
    many = arguments(None, {str(n): n for n in range(5000)})
    assert len(" ".join(text for _, text in many.pieces)) < 2_000
    assert many.note == "not all of the arguments is shown"
