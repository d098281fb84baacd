"""The microphone's samples: utterances untouched, room tone without holes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lkgate.caller.voice import Voice

RATE = 8000
MS = RATE // 1000


def recording(size: int) -> NDArray[np.int16]:
    """Every sample different from its neighbours, and never zero."""
    return (np.arange(size) % 29_000 + 100).astype(np.int16)


def test_a_gap_of_the_recorded_length_is_the_recorded_gap() -> None:
    pcm = recording(4000 * MS)
    voice = Voice(pcm, [(1000 * MS, 2000 * MS), (3000 * MS, 3500 * MS)], RATE)
    out = [voice.tone(1000 * MS, 1000 * MS)]
    voice.begin()
    out.append(voice.speech(5000 * MS))
    out.append(voice.tone(600 * MS, None))
    out.append(voice.tone(400 * MS, 400 * MS))
    voice.begin()
    out.append(voice.speech(5000 * MS))
    assert np.array_equal(np.concatenate(out), pcm[: 3500 * MS])


def test_a_shorter_gap_still_leads_into_the_utterance() -> None:
    pcm = recording(3000 * MS)
    voice = Voice(pcm, [(2000 * MS, 2500 * MS)], RATE)
    tone = voice.tone(500 * MS, 500 * MS)
    assert tone.size == 500 * MS
    assert np.array_equal(tone[: 300 * MS], pcm[: 300 * MS])
    assert np.array_equal(tone[310 * MS :], pcm[1810 * MS : 2000 * MS])


def test_a_longer_gap_repeats_the_room_and_not_the_lead_in() -> None:
    pcm = recording(3000 * MS)
    pcm[800 * MS : 1000 * MS] = 32_000  # the breath before the utterance
    voice = Voice(pcm, [(1000 * MS, 1500 * MS)], RATE)
    tone = voice.tone(10_000 * MS, None)
    # A fade may begin in the breath, never more.
    assert tone.max() <= 32_000 and np.count_nonzero(tone > 31_900) <= 10 * MS * 13
    assert np.count_nonzero(tone) == tone.size


def test_without_any_gap_there_is_digital_silence() -> None:
    pcm = recording(1000 * MS)
    voice = Voice(pcm, [(0, 1000 * MS)], RATE)
    assert voice.tone(300 * MS, None).size == 300 * MS
    voice.begin()
    assert np.array_equal(voice.speech(10_000 * MS), pcm)
    after = voice.tone(300 * MS, None)
    assert not after[10 * MS :].any()


@given(
    edges=st.lists(st.integers(0, 3000), min_size=2, max_size=8, unique=True),
    gaps=st.lists(st.integers(0, 2500), min_size=4, max_size=4),
    piece=st.integers(1, 700),
    known=st.integers(0, 400),
)
def test_utterances_are_sample_exact_and_silence_has_the_length_asked_for(
    edges: list[int], gaps: list[int], piece: int, known: int
) -> None:
    edges = sorted(edges)[: len(edges) // 2 * 2]
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    pcm = recording(3000)
    voice = Voice(pcm, spans, RATE)
    for (start, end), gap in zip(spans, gaps, strict=False):
        left = gap
        while left:
            part = voice.tone(min(piece, left), left if left <= known else None)
            assert 0 < part.size <= left
            left -= part.size
        voice.begin()
        said = []
        while voice.speaking:
            said.append(voice.speech(piece))
        assert np.array_equal(np.concatenate(said), pcm[start:end])
