"""Words along a sound: monotone, complete, and at the pauses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lkgate.derive.cut import word_ends

RATE = 24_000


def spoken(*parts: tuple[float, bool]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Seconds of noise, or of silence."""
    chance = np.random.default_rng(0)
    made = [
        chance.integers(-9000, 9000, round(s * RATE)) if loud else np.zeros(round(s * RATE))
        for s, loud in parts
    ]
    return np.concatenate(made).astype(np.int16)


def test_a_sentence_ends_in_the_pause_although_it_was_spoken_slowly() -> None:
    # By letters the first sentence would be half of the sound; it is two thirds.
    pcm = spoken((1.3, True), (0.4, False), (0.7, True), (0.1, False))
    first, last = word_ends(pcm, RATE, "Alpha. Gamma.")
    assert 1.3 * RATE <= first <= 1.7 * RATE
    assert last == len(pcm)


def test_silence_and_nothing_have_no_words_in_them() -> None:
    assert word_ends(spoken((0.5, False)), RATE, "One two.")[-1] == RATE // 2
    assert word_ends(spoken((0.0, True)), RATE, "One two.") == [0, 0]


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=6),
    st.lists(st.sampled_from(["A", "word.", "another,", "!", "end."]), min_size=1, max_size=12),
)
def test_words_follow_one_another_to_the_end(
    parts: list[tuple[float, bool]], said: list[str]
) -> None:
    pcm = spoken((0.0, True), *parts)
    ends = word_ends(pcm, RATE, " ".join(said))
    assert len(ends) == len(said)
    assert list(ends) == sorted(ends)
    assert ends[-1] == len(pcm)
    assert ends[0] >= 0
