"""The streaming detector says what ``segment`` says, as early as it can."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from lkgate.signal import Edge, OnlineDetector, segment

Part = tuple[int, int, int]


def _tones(rate: int, parts: list[Part]) -> npt.NDArray[np.int16]:
    """Bursts of (silence ms, tone ms, amplitude), digital silence between and after."""
    pieces: list[npt.NDArray[np.int16]] = []
    for silence_ms, tone_ms, amplitude in parts:
        count = rate * tone_ms // 1000
        tone = amplitude * np.sin(2 * np.pi * 440 / rate * np.arange(count))
        pieces += [np.zeros(rate * silence_ms // 1000, np.int16), tone.astype(np.int16)]
    return np.concatenate([*pieces, np.zeros(rate // 4, np.int16)])


def _push(detector: OnlineDetector, pcm: npt.NDArray[np.int16], size: int) -> list[Edge]:
    edges: list[Edge] = []
    for start in range(0, len(pcm), size):
        edges += detector.push(pcm[start : start + size])
    return edges + detector.finish()


@given(
    rate=st.sampled_from([8000, 16000, 24000, 44100, 48000]),
    parts=st.lists(
        st.tuples(
            st.integers(0, 700), st.integers(0, 500), st.sampled_from([60, 90, 120, 150, 9000])
        ),
        min_size=1,
        max_size=12,
    ),
    size=st.integers(1, 5000),
)
def test_same_edges_as_segment_on_clean_audio(rate: int, parts: list[Part], size: int) -> None:
    pcm = _tones(rate, parts)
    edges = _push(OnlineDetector(rate), pcm, size)
    assert [edge.kind for edge in edges] == ["start", "stop"] * (len(edges) // 2)
    found = [edge.sample for edge in edges]
    assert list(zip(found[::2], found[1::2], strict=True)) == segment(pcm, rate)


def test_a_start_is_reported_after_80_ms_and_a_stop_after_the_hangover() -> None:
    rate = 24000
    pcm = _tones(rate, [(1000, 500, 9000)])
    pcm = np.concatenate([pcm, np.zeros(rate, np.int16)])
    (start, stop) = segment(pcm, rate)[0]
    detector = OnlineDetector(rate)
    reported: list[tuple[int, Edge]] = []
    for at in range(0, len(pcm), 240):
        reported += [(at + 240, edge) for edge in detector.push(pcm[at : at + 240])]
    assert reported == [
        (1080 * 24, Edge("start", start)),
        (1800 * 24, Edge("stop", stop)),
    ]
    assert abs(start - 1000 * 24) <= 24
    assert abs(stop - 1500 * 24) <= 24


def test_speaking_and_samples_follow_what_was_pushed() -> None:
    rate = 16000
    detector = OnlineDetector(rate)
    pcm = _tones(rate, [(0, 200, 9000)])
    assert not detector.speaking
    detector.push(pcm[:3201])
    assert detector.speaking
    assert detector.samples == 3201
    detector.push(np.zeros(rate, np.int16))
    assert not detector.speaking


def test_speech_cut_by_the_end_stops_there() -> None:
    rate = 16000
    pcm = _tones(rate, [(300, 400, 9000)])[: rate // 2 + 37]
    edges = _push(OnlineDetector(rate), pcm, 1000)
    assert [edge.kind for edge in edges] == ["start", "stop"]
    assert edges[1].sample in range(len(pcm) - 16, len(pcm) + 1)


def test_steady_noise_is_a_floor_after_ten_seconds() -> None:
    rate = 16000
    noise = np.random.default_rng(1).normal(0, 300, 30 * rate).astype(np.int16)
    speech = noise.copy()
    speech[20 * rate : 21 * rate] += _tones(rate, [(0, 1000, 6000)])[:rate]
    edges = _push(OnlineDetector(rate), speech, 1600)
    assert [edge.kind for edge in edges] == ["start", "stop", "start", "stop"]
    assert abs(edges[1].sample - 10 * rate) <= rate // 4
    assert abs(edges[2].sample - 20 * rate) <= rate // 100
    assert abs(edges[3].sample - 21 * rate) <= rate // 100
