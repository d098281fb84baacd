"""The resampler: exact, streaming, on time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lkgate.harness.resample import Resampler, remixed

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]


def whole(pcm: NDArray[np.int16], rates: tuple[int, int], channels: int = 1) -> NDArray[np.int16]:
    resampler = Resampler(*rates, channels)
    return np.concatenate([resampler.push(pcm), resampler.flush()])


def noise(count: int) -> NDArray[np.int16]:
    return np.random.default_rng(1).integers(-30_000, 30_000, count).astype(np.int16)


@given(
    st.sampled_from(RATES),
    st.sampled_from(RATES),
    st.lists(st.integers(0, 3_000), min_size=1, max_size=8),
    st.sampled_from([1, 2]),
)
@settings(max_examples=60)
def test_pieces_give_what_the_whole_gives(
    input_hz: int, output_hz: int, pieces: list[int], channels: int
) -> None:
    pcm = noise(sum(pieces) * channels)
    resampler = Resampler(input_hz, output_hz, channels)
    parts, at, most = [], 0, 0.0
    for piece in pieces:
        parts.append(resampler.push(pcm[at : at + piece * channels]))
        at += piece * channels
        due = at // channels * output_hz / input_hz
        most = max(most, due - sum(part.size for part in parts) / channels)
    parts.append(resampler.flush())
    joined = np.concatenate(parts)
    assert np.array_equal(joined, whole(pcm, (input_hz, output_hz), channels))
    assert joined.size == -(-sum(pieces) * output_hz // input_hz) * channels
    assert most <= resampler.held


@pytest.mark.parametrize("input_hz", RATES)
@pytest.mark.parametrize("output_hz", RATES)
def test_a_tone_keeps_its_pitch_its_level_and_its_time(input_hz: int, output_hz: int) -> None:
    def tone(rate: int) -> NDArray[np.float64]:
        return 10_000 * np.sin(2 * np.pi * 1_000 * np.arange(rate) / rate)

    out = whole(tone(input_hz).astype(np.int16), (input_hz, output_hz))
    middle = slice(output_hz // 10, -output_hz // 10)
    assert np.abs(out - tone(output_hz))[middle].max() < 12


def test_what_the_lower_rate_cannot_carry_is_gone() -> None:
    t = np.arange(48_000) / 48_000
    high = (20_000 * np.sin(2 * np.pi * 11_000 * t)).astype(np.int16)
    assert np.abs(whole(high, (48_000, 16_000))[200:-200]).max() < 20


def test_a_flushed_resampler_begins_anew() -> None:
    resampler = Resampler(24_000, 16_000, 1)
    pcm = noise(2_400)
    first = np.concatenate([resampler.push(pcm), resampler.flush()])
    second = np.concatenate([resampler.push(pcm), resampler.flush()])
    assert np.array_equal(first, second)
    assert resampler.flush().size == 0


def test_channels_are_copied_and_averaged() -> None:
    stereo = np.array([10, 20, -5, -6], np.int16)
    assert remixed(stereo, 2, 1).tolist() == [15, -6]
    assert remixed(np.array([1, 2], np.int16), 1, 2).tolist() == [1, 1, 2, 2]
    assert remixed(stereo, 2, 2) is stereo
