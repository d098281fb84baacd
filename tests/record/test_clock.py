from __future__ import annotations

from lkgate.record.clock import STEP_US, Steps


def test_a_clock_that_is_set_is_noticed_once() -> None:
    steps = Steps(1_000_000)
    assert steps.by_us(3_000_000, 2_000_000) is None
    assert steps.by_us(3_600_003_000_000, 2_000_000) == 3_600_000_000_000
    assert steps.by_us(3_600_004_000_000, 3_000_000) is None
    assert steps.by_us(5_000_000, 4_000_000) == -3_600_000_000_000
    assert steps.by_us(6_000_000, 5_000_000) is None


def test_a_clock_that_is_slewed_is_not_set() -> None:
    assert Steps(0).by_us(STEP_US - 1, 0) is None
    assert Steps(0).by_us(STEP_US, 0) == STEP_US
