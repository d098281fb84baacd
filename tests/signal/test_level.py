"""Levels are exact, and free of a constant offset."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.signal.level import FLOOR_MIN, active_samples, frame_levels, frame_samples


def test_levels_of_whole_frames_only() -> None:
    pcm = np.array([1, -1, 1, -1, 7], dtype=np.int16)
    assert frame_levels(pcm, 2).tolist() == [1.0, 1.0]
    assert frame_levels(pcm[:1], 2).tolist() == []


def test_an_offset_is_no_level() -> None:
    pcm = np.full(480, 1234, dtype=np.int16)
    assert frame_levels(pcm, 240).tolist() == [0.0, 0.0]


@given(
    samples=st.lists(st.integers(-32768, 32767), min_size=480, max_size=480),
    repeat=st.integers(1, 40),
)
def test_levels_do_not_depend_on_what_stands_beside_a_frame(
    samples: list[int], repeat: int
) -> None:
    frame = np.array(samples, dtype=np.int16)
    alone = frame_levels(frame, 480)[0]
    many = frame_levels(np.tile(frame, repeat), 480)
    assert many.tolist() == [alone] * repeat
    exact = (480 * sum(s * s for s in samples) - sum(samples) ** 2) / 480**2
    assert alone == exact


@given(samples=st.lists(st.integers(-32768, 32767), min_size=1, max_size=64))
def test_a_frame_at_a_threshold_has_samples_at_it(samples: list[int]) -> None:
    pcm = np.array(samples, dtype=np.int16)
    level = float(frame_levels(pcm, len(pcm))[0])
    first, past = active_samples(pcm, level)
    assert 0 <= first < past <= len(pcm)


def test_the_absolute_floor_is_60_db_below_full_scale() -> None:
    assert pytest.approx(32.768**2) == FLOOR_MIN


def test_a_frame_is_10_ms() -> None:
    assert [frame_samples(rate) for rate in (8000, 24000, 44100, 48000)] == [80, 240, 441, 480]
    with pytest.raises(ValueError, match="1999 Hz is no rate of speech"):
        frame_samples(1999)
