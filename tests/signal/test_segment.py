"""What counts as speech in a whole track."""

from __future__ import annotations

import importlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkgate.signal import segment
from lkgate.signal.level import FLOOR_MAX, FLOOR_MIN, FLOOR_WINDOW, PAUSE
from lkgate.signal.segment import noise_floor

# The package names its function like it.
MODULE = importlib.import_module("lkgate.signal.segment")
RATE = 24000
MS = RATE // 1000


def _silence(ms: int) -> npt.NDArray[np.int16]:
    return np.zeros(ms * MS, np.int16)


def _tone(ms: int, amplitude: int = 6000) -> npt.NDArray[np.int16]:
    # A cosine, so that the first sample is a loud one.
    tone = amplitude * np.cos(2 * np.pi * 500 / RATE * np.arange(ms * MS))
    samples: npt.NDArray[np.int16] = tone.astype(np.int16)
    return samples


def _babbled(seed: int, ms: int) -> npt.NDArray[np.float64]:
    """Something with the rhythm of speech: 5 syllables a second, a fifth of each quiet."""
    rng = np.random.default_rng(seed)
    at = np.arange(ms * MS) / RATE
    syllables = np.clip(1.25 * np.sin(np.pi * 5 * at) ** 2 - 0.05, 0.01, 1)
    sound: npt.NDArray[np.float64] = rng.normal(0, 1, len(at)) * syllables
    return sound * 4000


def _ms(spans: list[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(start / MS, end / MS) for start, end in spans]


def _concat(*parts: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    return np.concatenate(parts)


def test_edges_are_the_first_and_last_loud_sample() -> None:
    pcm = _concat(_silence(503), _tone(400), _silence(1004))
    ((start, end),) = segment(pcm, RATE)
    assert start == 503 * MS
    assert end in range(903 * MS - 12, 903 * MS + 1)


def test_speech_from_the_first_sample_to_the_last() -> None:
    ((start, end),) = segment(_tone(407), RATE)
    assert start == 0
    assert end in range(407 * MS - 12, 407 * MS + 1)


def test_nothing_is_no_speech() -> None:
    assert segment(np.zeros(0, np.int16), RATE) == []
    assert segment(np.zeros(7, np.int16), RATE) == []
    assert segment(_silence(2000), RATE) == []


def test_pauses_inside_a_word_do_not_split_it() -> None:
    within = _concat(_silence(500), _tone(200), _silence(290), _tone(200), _silence(500))
    assert len(segment(within, RATE)) == 1
    between = _concat(_silence(500), _tone(200), _silence(310), _tone(200), _silence(500))
    assert len(segment(between, RATE)) == 2


def test_clicks_and_blips_are_no_speech() -> None:
    click = _concat(_silence(500), _tone(10), _silence(500))
    blip = _concat(_silence(500), _tone(60), _silence(500))
    assert segment(click, RATE) == []
    assert segment(blip, RATE) == []


def test_a_click_before_a_word_is_not_its_start() -> None:
    pcm = _concat(_silence(500), _tone(10), _silence(190), _tone(300), _silence(500))
    assert [start for start, _ in segment(pcm, RATE)] == [700 * MS]


def test_a_soft_beginning_belongs_to_the_word() -> None:
    soft = _tone(300, amplitude=95)  # between the two thresholds: below 8 dB, above 5 dB
    pcm = _concat(_silence(500), soft, _tone(300), _silence(500))
    assert [start for start, _ in _ms(segment(pcm, RATE))] == [700]
    assert segment(_concat(_silence(500), soft, _silence(500)), RATE) == []


@pytest.mark.parametrize("offset", [-3000, 800])
def test_a_constant_offset_is_no_sound(offset: int) -> None:
    pcm = _concat(_silence(500), _tone(300), _silence(500)) + np.int16(offset)
    assert segment(pcm, RATE) == segment(pcm - np.int16(offset), RATE)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**16),
    pauses=st.lists(st.integers(600, 4000), min_size=3, max_size=6),
    snr_db=st.sampled_from([10, 15, 25]),
)
def test_speech_in_noise(seed: int, pauses: list[int], snr_db: int) -> None:
    rng = np.random.default_rng(seed)
    parts: list[npt.NDArray[np.float64]] = []
    truth: list[tuple[int, int]] = []
    at = 0
    for number, pause in enumerate(pauses):
        parts += [np.zeros(pause * MS), _babbled(seed + number, 900)]
        truth.append((at + pause, at + pause + 900))
        at += pause + 900
    clean = np.concatenate([*parts, np.zeros(1000 * MS)])
    loudness = np.sqrt(np.mean(clean[clean != 0] ** 2))
    noise = rng.normal(0, loudness * 10 ** (-snr_db / 20), len(clean))
    found = _ms(segment((clean + noise).astype(np.int16), RATE))
    assert len(found) == len(truth)
    for (start, end), (true_start, true_end) in zip(found, truth, strict=True):
        assert abs(start - true_start) <= 80
        assert abs(end - true_end) <= 80


def test_the_floor_follows_noise_that_comes_and_goes() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 400, 30_000 * MS).astype(np.int16)
    noise[: 12_000 * MS] = 0
    noise[15_000 * MS : 15_500 * MS] += _tone(500)
    ((start, end),) = _ms(segment(noise, RATE))
    assert abs(start - 15000) <= 1
    assert abs(end - 15500) <= 1


@pytest.mark.parametrize("chunk", [1, 700, 1 << 16])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    levels=st.lists(st.sampled_from([0.0, 50.0, 2e3, 1e5, 1e7, 1e9]), min_size=1, max_size=60),
    stretch=st.integers(1, 90),
)
def test_the_floor_is_the_quietest_pause_before_or_after(
    monkeypatch: pytest.MonkeyPatch, chunk: int, levels: list[float], stretch: int
) -> None:
    if chunk == 1:
        levels = levels[:2]  # every frame with all that is near it
    monkeypatch.setattr(MODULE, "_CHUNK_FRAMES", chunk)
    frames = np.repeat(np.array(levels), stretch)
    reach = PAUSE // 2
    padded = np.pad(frames, reach, mode="edge")
    loudest = [max(padded[i : i + PAUSE]) for i in range(len(frames))]
    size = min(FLOOR_WINDOW, len(frames))
    floor = noise_floor(frames)
    for index in range(0, len(frames), 97):
        before = min(loudest[max(index - size + 1, 0) :][:size])
        after = min(loudest[min(index, len(frames) - size) :][:size])
        expected = min(max(before, after, FLOOR_MIN), FLOOR_MAX)
        assert floor[index] == expected


class FakeFile:
    """Samples that can only be had in parts."""

    def __init__(self, pcm: npt.NDArray[np.int16]):
        self._pcm = pcm
        self.most = 0

    def __len__(self) -> int:
        return len(self._pcm)

    def __getitem__(self, part: slice, /) -> npt.NDArray[np.int16]:
        found = self._pcm[part]
        self.most = max(self.most, len(found))
        return found


@pytest.mark.parametrize("more", [0, 5], ids=["whole frames", "cut off in a frame"])
def test_a_file_is_searched_piece_by_piece(more: int) -> None:
    rng = np.random.default_rng(3)
    parts = [
        part for _ in range(40) for part in (_tone(700), _silence(int(rng.integers(200, 2_000))))
    ]
    pcm = _concat(*parts, _tone(200), _tone(10)[:more])
    file = FakeFile(pcm)
    assert segment(file, RATE) == segment(pcm, RATE)
    assert segment(file, RATE)[-1][1] > len(pcm) - 20
    assert 0 < file.most < len(pcm) / 1.05
