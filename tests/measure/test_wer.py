"""The word error rate is jiwer's, and its parts add up to it."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.measure.registry import METRICS, measure
from lkgate.measure.session import session_of
from lkgate.measure.words import MOST, words_of
from lkgate.model.bundle import Bundle
from lkgate.model.label import Entity
from tests.measure.builders import bundle, labels, said, span

WORDS = ("Ann", "is", "at", "home,", "now.", "25", "TWENTY", "don't", "no")
utterances = st.lists(
    st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), min_size=1, max_size=5
)


def call(*heard: str) -> Bundle:
    """A caller who says so many things, each answered."""
    return bundle(
        caller=[span(4 * n + 1, 4 * n + 2) for n in range(len(heard))],
        agent=[span(4 * n + 3, 4 * n + 4) for n in range(len(heard))],
        events=[
            *((4 * n + 2.5, *said("user", text)) for n, text in enumerate(heard) if text),
            (4 * len(heard) + 0.5, *said("assistant", "Yes.")),
        ],
        lasts=99,
    )


def value(name: str, heard: Bundle, *truth: str) -> float | None:
    return measure(session_of(heard, labels(*truth)), METRICS[name]).value


@given(truth=utterances, heard=utterances)
def test_equal_to_jiwer(truth: list[str], heard: list[str]) -> None:
    reference, hypothesis = (" ".join(words_of(" ".join(side))) for side in (truth, heard))
    found = value("word_error_rate", call(*heard), *truth)
    if not reference:
        assert found is None
        return
    theirs = jiwer.process_words(reference, hypothesis)
    assert found == pytest.approx(theirs.wer, abs=1e-12)
    parts = [
        value(name, call(*heard), *truth)
        for name in ("substitution_rate", "deletion_rate", "insertion_rate")
    ]
    assert sum(part or 0.0 for part in parts) == pytest.approx(theirs.wer, abs=1e-12)


@pytest.mark.parametrize(
    ("truth", "heard", "wer"),
    [
        (["the cat sat"], ["the cat sat"], 0.0),
        (["the cat sat"], ["the hat sat down"], 2 / 3),
        (["the cat", "sat"], ["the", "cat sat"], 0.0),
        (["the cat sat"], [""], 1.0),
        (["a"], ["x y z"], 3.0),
    ],
)
def test_by_hand_and_by_jiwer(truth: list[str], heard: list[str], wer: float) -> None:
    assert value("word_error_rate", call(*heard), *truth) == pytest.approx(wer)
    assert jiwer.wer(" ".join(truth), " ".join(heard)) == pytest.approx(wer)


def test_nothing_said_and_nothing_heard_is_no_value() -> None:
    found = measure(session_of(call(""), labels("...")), METRICS["word_error_rate"])
    assert (found.value, found.n) == (None, 0)
    assert found.samples[0].status == "absent"


def test_words_without_an_end_are_missing_evidence() -> None:
    heard, truth = call("a " * (MOST + 1)), labels("b " * MOST)
    found = measure(session_of(heard, truth), METRICS["word_error_rate"])
    assert (found.value, found.missing) == (None, True)
    assert (found.reason or "").startswith("too long to be aligned word by word: 20,000 words")
    # What needs no alignment is told all the same.
    assert measure(session_of(heard, truth), METRICS["caller_words"]).value == MOST + 1


def test_numbers_count_by_their_digits() -> None:
    heard = call("my number is 4 2 9", "on Tuesday at half past three")
    truth = ("My number is four two five.", "On Thursday at half past three.")
    # 9 for 5 and Tuesday for Thursday, of 4, 2, 5, Thursday and 3
    assert value("number_error_rate", heard, *truth) == pytest.approx(2 / 5)
    assert value("number_error_rate", call("hello"), "Hello.") is None
    assert value("number_error_rate", call("hello 5"), "Hello.") is None


def test_entities_are_found_in_their_own_utterance() -> None:
    truth = labels(
        "I am Ann Lee.",
        "Ann Lee, born on the twenty fifth.",
        entities=[
            Entity(0, "name", "Ann Lee"),
            Entity(1, "name", "Ann Lee"),
            Entity(1, "date", "twenty fifth"),
        ],
    )
    heard = call("I am Ann Lee", "Annie, born on the 25th")
    found = measure(session_of(heard, truth), METRICS["entity_error_rate"])
    assert [(s.value, s.turn, s.note) for s in found.samples] == [
        (0.0, 0, "the name 'Ann Lee'"),
        (1.0, 2, "the name 'Ann Lee' was not heard"),
        (0.0, 2, "the date 'twenty fifth'"),
    ]
    assert found.value == pytest.approx(1 / 3)
