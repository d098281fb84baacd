from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lkgate.capture.timeline import HELD_FRAMES, TOLERANCE_US, Placed, Timeline

RATE = 1_000
FRAME = bytes(200)  # 100 samples, 100 ms
FRAME_US = 100_000


def place(arrivals: list[int]) -> tuple[Timeline, list[Placed]]:
    timeline = Timeline(RATE)
    placed = [timeline.push(arrival, FRAME) for arrival in arrivals]
    placed.append(timeline.flush())
    return timeline, [each for each in placed if each is not None]


def silence(placed: list[Placed]) -> list[int]:
    return [each.silence_samples for each in placed if each.silence_samples]


def frames(placed: list[Placed]) -> int:
    return sum(len(each.frames) for each in placed)


def test_first_frame_is_anchored_at_its_arrival_minus_its_duration() -> None:
    timeline, placed = place([500_000 + FRAME_US * (n + 1) for n in range(20)])
    assert timeline.offset_us == 500_000
    assert timeline.end_us == 2_500_000
    assert (silence(placed), frames(placed)) == ([], 20)


def test_nothing_is_written_before_the_anchor_is_sure() -> None:
    timeline = Timeline(RATE)
    for n in range(HELD_FRAMES - 1):
        assert timeline.push(FRAME_US * (n + 1), FRAME) is None
    assert timeline.offset_us is None
    placed = timeline.push(FRAME_US * HELD_FRAMES, FRAME)
    assert placed == Placed(0, (FRAME,) * HELD_FRAMES)


def test_late_first_frames_do_not_move_the_track() -> None:
    """The loop was busy when the stream began: frames 1 to 3 waited for it."""
    timeline, placed = place([400_000, 400_000, 400_000, 400_000, 500_000, 600_000])
    assert timeline.offset_us == 0
    assert silence(placed) == []


def test_a_backlog_that_drains_is_no_gap() -> None:
    regular = [FRAME_US * (n + 1) for n in range(10)]
    stalled = [2_000_000] * 10
    after = [2_100_000, 2_200_000]
    timeline, placed = place(regular + stalled + after)
    assert (silence(placed), frames(placed)) == ([], 22)
    assert timeline.end_us == 2_200_000


def test_missing_audio_is_replaced_by_silence_of_its_length() -> None:
    before = [FRAME_US * (n + 1) for n in range(10)]
    after = [4_000_000 + FRAME_US * (n + 1) for n in range(10)]
    timeline, placed = place(before + after)
    assert silence(placed) == [3_000]
    assert timeline.end_us == 5_000_000


def test_a_new_segment_is_anchored_anew() -> None:
    timeline = Timeline(RATE)
    for n in range(10):
        timeline.push(FRAME_US * (n + 1), FRAME)
    assert timeline.flush() is None
    placed = [timeline.push(1_150_000 + FRAME_US * (n + 1), FRAME) for n in range(HELD_FRAMES)]
    assert placed[-1] == Placed(150, (FRAME,) * HELD_FRAMES)


def test_what_was_heard_before_session_time_zero_is_cut_off() -> None:
    timeline, placed = place([30_000 + FRAME_US * n for n in range(10)])
    assert timeline.offset_us == 0
    assert timeline.end_us == 930_000
    assert sum(len(frame) for each in placed for frame in each.frames) == 930 * 2


def test_a_stream_that_ends_before_the_anchor_is_sure_is_kept() -> None:
    timeline, placed = place([250_000])
    assert timeline.offset_us == 150_000
    assert frames(placed) == 1


@given(
    jitter=st.lists(
        st.integers(min_value=0, max_value=TOLERANCE_US), min_size=HELD_FRAMES, max_size=40
    ),
    start=st.integers(min_value=0, max_value=10_000_000),
    prompt=st.integers(min_value=0, max_value=HELD_FRAMES - 1),
)
def test_jitter_within_tolerance_never_loses_or_moves_audio(
    jitter: list[int], start: int, prompt: int
) -> None:
    """As long as one of the first frames comes on time."""
    jitter[prompt] = 0
    timeline, placed = place([start + FRAME_US * (n + 1) + j for n, j in enumerate(jitter)])
    assert timeline.offset_us == start
    assert (silence(placed), frames(placed)) == ([], len(jitter))


@given(
    gaps=st.lists(st.integers(min_value=0, max_value=3_000_000), min_size=1, max_size=4),
    between=st.integers(min_value=HELD_FRAMES, max_value=12),
)
def test_the_end_is_never_further_from_the_truth_than_the_tolerance(
    gaps: list[int], between: int
) -> None:
    now, arrivals = 0, []
    for gap in [0, *gaps]:
        now += gap
        for _ in range(between):
            now += FRAME_US
            arrivals.append(now)
    timeline, placed = place(arrivals)
    assert frames(placed) == len(arrivals)
    assert 0 <= now - timeline.end_us <= TOLERANCE_US + 1_000 * len(gaps)


def test_how_far_counting_is_ahead_is_told_by_the_stream_that_is_heard() -> None:
    """A backlog drained after it was taken for a loss, and then the stream began anew."""
    timeline = Timeline(RATE)
    for n in range(30):
        timeline.push(FRAME_US * (n + 1), FRAME)
    for n in range(9):
        timeline.push(3_000_000 + FRAME_US // 10 * n, FRAME)
    assert timeline.lag_us == -900_000 + 9 * FRAME_US // 10 - FRAME_US // 10
    timeline.flush()
    before = timeline.segment
    ahead_us = 150_000
    for n in range(HELD_FRAMES):
        timeline.push(timeline.end_us - ahead_us + FRAME_US * (n + 1), FRAME)
    assert (timeline.lag_us, timeline.segment) == (-ahead_us, before + 1)


def test_a_fall_is_believed_at_once_and_a_rise_when_it_has_lasted() -> None:
    timeline = Timeline(RATE)
    for n in range(HELD_FRAMES + 1):
        timeline.push(FRAME_US * (n + 1), FRAME)
    assert timeline.lag_us is None
    timeline.push(FRAME_US * (HELD_FRAMES + 2) - 60_000, FRAME)
    assert timeline.lag_us == -60_000
    told: list[int | None] = []
    for n in range(25):
        timeline.push(FRAME_US * (HELD_FRAMES + 3 + n), FRAME)
        told.append(timeline.lag_us)
    assert told[: HELD_FRAMES - 1] == [-60_000] * (HELD_FRAMES - 1)
    assert told[-1] == 0
    assert -60_000 not in told[HELD_FRAMES - 1 :]
