"""Whether the machine kept time, on a clock that the test turns."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.rooms.pulse import (
    LOST_US,
    SLOW_US,
    WORST_US,
    Pace,
    Pulse,
    Timeliness,
    lateness,
)

GOOD = Timeliness(pulses=1000, slow=0, worst_us=2_000)


def beaten(delays_us: list[int]) -> Timeliness:
    """What a pulse measures whose loop comes back that much too late each time."""
    clock = [0]
    left = list(delays_us)

    async def sleep(seconds: float) -> None:
        if not left:
            raise asyncio.CancelledError
        clock[0] += round(seconds * 1e9) + 1000 * left.pop(0)

    pulse = Pulse(now_ns=lambda: clock[0], sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(pulse.run())
    return pulse.timeliness


def test_delays_are_measured() -> None:
    assert beaten([0, 3_000, SLOW_US + 1, 0, 70_000]) == Timeliness(5, 2, 70_000)


@given(st.lists(st.integers(0, 500_000), min_size=1, max_size=50))
def test_the_worst_is_the_worst(delays_us: list[int]) -> None:
    found = beaten(delays_us)
    assert found.worst_us == max(delays_us)
    assert found.pulses == len(delays_us)
    assert (lateness(found, lost_us=0, cut_off=False) is not None) >= (max(delays_us) > WORST_US)


@pytest.mark.parametrize(
    ("timeliness", "lost_us", "says"),
    [
        (GOOD, 0, None),
        (GOOD, LOST_US, None),
        (Timeliness(1000, 20, WORST_US), 0, None),
        (Timeliness(0, 0, 0), 0, "this machine never came to measure whether it keeps time"),
        (
            Timeliness(1000, 1, 340_000),
            0,
            "this machine stood still for 340 ms, allowed are 150 ms",
        ),
        (
            Timeliness(1000, 31, 60_000),
            0,
            "this machine was more than 20 ms late in 3.1% of the call, allowed are 2%",
        ),
        (
            GOOD,
            450_000,
            "450 ms of the caller's audio came late or not at all, allowed are 200 ms",
        ),
    ],
)
def test_what_is_late(timeliness: Timeliness, lost_us: int, says: str | None) -> None:
    assert lateness(timeliness, lost_us=lost_us, cut_off=False) == says


def test_a_call_without_its_server_is_no_evidence() -> None:
    assert lateness(GOOD, lost_us=0, cut_off=True) == (
        "the connection to the server was lost in the middle of the call"
    )


def test_more_calls_at_once_only_while_there_is_room() -> None:
    pace = Pace(most=5)
    seen = [pace.at_once]
    for timeliness, late in [
        (GOOD, False),
        (GOOD, False),
        (GOOD, False),
        (Timeliness(1000, 0, WORST_US), False),  # in time, and nothing to spare
        (Timeliness(1000, 0, 2 * WORST_US), True),
        (Timeliness(1000, 0, 2 * WORST_US), True),
        (Timeliness(1000, 0, 2 * WORST_US), True),
        (GOOD, False),
    ]:
        pace.after([timeliness], late=late)
        seen.append(pace.at_once)
    assert seen == [1, 2, 4, 5, 5, 2, 1, 1, 2]
    assert pace.reached == 5


def test_the_worst_of_a_batch_counts() -> None:
    pace = Pace(most=4)
    pace.after([GOOD, Timeliness(1000, 0, WORST_US)], late=False)
    assert pace.at_once == 1
