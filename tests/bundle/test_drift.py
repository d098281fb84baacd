from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lkgate.bundle.drift import QUALITY, Noted, clock_of, noted_in
from lkgate.model.bundle import TrackClock

FIVE_S = 5_000_000


def noted(lags: list[int | None], *, segment: int = 1, since_us: int = 0) -> list[Noted]:
    return [
        Noted(since_us + number * FIVE_S, segment, lag_us, 46_500)
        for number, lag_us in enumerate(lags)
    ]


def test_samples_that_come_too_slowly_are_a_negative_drift() -> None:
    # 500 us more in every 5 s.
    assert clock_of(noted([0, 500, 1_000, 1_500, 2_000])) == TrackClock(-100.0, None, 46_500)


def test_segments_share_one_slope() -> None:
    first = noted([0, 500, 1_000])
    second = noted([0, 500, 1_000], segment=2, since_us=60_000_000)
    clock = clock_of(first + second)
    assert clock.drift_ppm == -100.0


def test_too_short_is_said_and_not_guessed() -> None:
    clock = clock_of(noted([None, 0, 10, 20]))
    assert clock == TrackClock(
        None, "audio was watched for 10 s without a gap, which is too short", 46_500
    )
    assert clock_of([]) == TrackClock(
        None, "audio was watched for 0 s without a gap, which is too short", None
    )


def test_only_whole_notes_count() -> None:
    events: list[tuple[int, str, dict[str, object]]] = [
        (1, QUALITY, {"track": "caller", "segment": 1, "lag_us": None, "delay_us": 40_000}),
        (2, QUALITY, {"track": "caller", "segment": "x"}),
        (3, QUALITY, {"segment": 1}),
        (4, "lkgate.gap", {"track": "caller", "segment": 1}),
        (5, QUALITY, {"track": "agent", "segment": 2, "lag_us": True, "delay_us": 1.5}),
    ]
    assert noted_in(events) == {  # type: ignore[arg-type]
        "caller": [Noted(1, 1, None, 40_000)],
        "agent": [Noted(5, 2, None, None)],
    }


@given(
    ppm=st.integers(min_value=-500, max_value=500),
    noise=st.lists(st.integers(min_value=-200, max_value=200), min_size=13, max_size=60),
)
def test_a_known_drift_is_found_within_what_jitter_allows(ppm: int, noise: list[int]) -> None:
    lags: list[int | None] = [-ppm * 5 * number + each for number, each in enumerate(noise)]
    clock = clock_of(noted(lags))
    assert clock.drift_ppm is not None
    assert abs(clock.drift_ppm - ppm) <= 400 / (5 * (len(noise) - 1)) * 2
