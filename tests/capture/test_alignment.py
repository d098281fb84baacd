from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lkgate.capture.alignment import Alignment

RATE = 24_000
SIZE = RATE // 10
LOUD = np.full(SIZE, 8_000, "<i2").tobytes()
QUIET = np.tile(np.array([40, -40], "<i2"), SIZE // 2).tobytes()


def started(delay_us: int) -> Alignment:
    alignment = Alignment(RATE)
    alignment.start(delay_us)
    return alignment


def test_a_constant_delay_only_moves_the_beginning() -> None:
    alignment = started(46_500)
    assert alignment.shift_us == 46_500
    assert [alignment.move(frame, 46_500) for frame in (LOUD, QUIET)] == [LOUD, QUIET]


def test_a_longer_delay_leaves_out_samples_of_the_next_pause() -> None:
    alignment = started(30_000)
    assert alignment.move(LOUD, 60_000) == LOUD
    assert len(alignment.move(QUIET, 60_000)) == len(QUIET) - 2 * RATE * 30 // 1_000
    assert alignment.shift_us == 60_000
    assert alignment.move(QUIET, 60_000) == QUIET


def test_a_shorter_delay_repeats_samples_of_the_next_pause() -> None:
    alignment = started(60_000)
    assert alignment.move(LOUD, 30_000) == LOUD
    moved = np.frombuffer(alignment.move(QUIET, 30_000), "<i2")
    assert len(moved) == SIZE + RATE * 30 // 1_000
    assert set(np.abs(moved)) == {40}
    assert alignment.shift_us == 30_000


def test_speech_within_a_frame_stays_whole() -> None:
    speech = np.arange(1_000, 1_000 + SIZE // 2, dtype="<i2")
    frame = np.concatenate([np.zeros(SIZE // 2, "<i2"), speech])
    for before, after in ((30_000, 70_000), (70_000, 30_000)):
        moved = np.frombuffer(started(before).move(frame.tobytes(), after), "<i2")
        assert len(moved) == SIZE + (before - after) * RATE // 1_000_000
        assert np.array_equal(moved[-len(speech) :], speech)


def test_sound_that_begins_a_frame_after_a_pause_can_still_be_moved_back() -> None:
    alignment = started(0)
    assert alignment.move(QUIET, 350_000) != QUIET
    while alignment.shift_us < 350_000:
        alignment.move(QUIET, 350_000)
    assert alignment.begins(LOUD)
    moved = np.frombuffer(alignment.move(LOUD, 20_000), "<i2")
    assert alignment.shift_us == 20_000
    assert np.array_equal(moved[-SIZE:], np.frombuffer(LOUD, "<i2"))
    assert set(np.abs(moved[:-SIZE])) == {40}
    # Within speech nothing is moved, and nothing begins.
    assert not alignment.begins(LOUD)
    assert alignment.move(LOUD, 10_000) == LOUD


def test_what_begins_is_sound_after_a_pause() -> None:
    alignment = started(0)
    assert not alignment.begins(LOUD)
    alignment.move(QUIET, None)
    assert not alignment.begins(QUIET)
    half = np.frombuffer(QUIET, "<i2").copy()
    half[SIZE // 2 :] = 8_000
    assert alignment.begins(half.tobytes())


def test_a_small_error_and_an_unknown_delay_change_nothing() -> None:
    alignment = started(30_000)
    assert alignment.move(QUIET, 34_900) == QUIET
    assert alignment.move(QUIET, None) == QUIET
    assert started(0).fill(100, None) == 100


def test_what_is_too_long_for_one_pause_goes_on_in_the_next() -> None:
    alignment = started(0)
    written = [len(alignment.move(QUIET, 250_000)) // 2 for _ in range(4)]
    assert written == [0, 0, SIZE // 2, SIZE]


def test_noise_all_the_time_is_a_pause_after_a_second() -> None:
    rng = np.random.default_rng(1)
    alignment = started(30_000)
    frames = [rng.integers(-900, 900, SIZE).astype("<i2").tobytes() for _ in range(3)]
    moved = sum(len(alignment.move(frame, 60_000)) for frame in frames)
    assert moved == 3 * len(QUIET) - 2 * RATE * 30 // 1_000


def test_a_gap_takes_up_the_change() -> None:
    alignment = started(30_000)
    assert alignment.fill(RATE, 50_000) == RATE - RATE * 20 // 1_000
    assert alignment.shift_us == 50_000
    assert alignment.fill(10, 90_000) == 0
    assert alignment.fill(RATE, 20_000) > RATE


@given(delays=st.lists(st.integers(min_value=0, max_value=400_000), min_size=1, max_size=30))
def test_written_and_heard_differ_by_the_shift(delays: list[int]) -> None:
    """Whatever the delays: no sample is lost count of."""
    alignment = started(delays[0])
    first_us = alignment.shift_us
    written = 0
    for number, delay_us in enumerate(delays):
        frame = QUIET if number % 3 else LOUD
        written += len(alignment.move(frame, delay_us)) // 2
    moved = len(delays) * SIZE - written
    assert abs(alignment.shift_us - first_us - moved * 1_000_000 / RATE) <= 100
