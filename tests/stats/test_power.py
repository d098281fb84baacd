"""What is said to be found nearly always is found nearly always."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lkgate.stats.power import (
    calls_for_change,
    calls_for_one,
    detectable_change,
    detectable_share,
    detectable_spread,
)
from lkgate.stats.turns import Statistic, Turns, excess

ALPHA = 0.05


def recorded(calls: int, seed: int = 1) -> Turns:
    rng = np.random.default_rng(seed)
    made = [[(float(v), 1.0) for v in rng.normal(1000 + 5 * n, 80, 6)] for n in range(calls)]
    return Turns.of(made)


def found_share(before: Turns, statistic: Statistic, rise: float, allowed: float) -> float:
    """Of suites drawn with another generator, how many show the rise."""
    rng = np.random.default_rng(99)
    hits = 0
    for _ in range(150):
        drawn = before.amounts.reshape(before.calls, -1)
        picked = rng.integers(0, drawn.shape[1], drawn.shape)
        fresh = np.take_along_axis(drawn, picked, axis=1).ravel() + rise
        now = Turns(fresh, before.weights, before.owners, before.calls)
        hits += excess(
            now,
            before,
            statistic,
            sign=1.0,
            absolute=allowed,
            relative=None,
            turns_a_call=None,
            times=400,
        ).above(0.0, ALPHA)
    return hits / 150


@pytest.mark.parametrize("statistic", [Statistic(None), Statistic(0.9)], ids=["mean", "p90"])
def test_a_change_that_is_said_to_be_found(statistic: Statistic) -> None:
    before = recorded(12)
    found = detectable_change(
        before,
        statistic,
        sign=1.0,
        absolute=20.0,
        relative=None,
        turns_a_call=None,
        alpha=ALPHA,
        alpha_family=ALPHA,
        share=0.9,
    )
    assert found is not None
    assert found.change > 20.0
    assert 0.82 <= found_share(before, statistic, found.change, 20.0) <= 0.97
    assert found_share(before, statistic, 20.0, 20.0) <= 0.1
    assert found.held is not None
    assert 0.0 <= found.held <= 1.0


def test_four_times_the_calls_find_about_half_of_it() -> None:
    few, many = recorded(10), recorded(40)
    changes = [
        detectable_change(
            turns,
            Statistic(None),
            sign=1.0,
            absolute=0.0,
            relative=None,
            turns_a_call=None,
            alpha=ALPHA,
            alpha_family=ALPHA,
            share=0.9,
        )
        for turns in (few, many)
    ]
    assert changes[0] is not None
    assert changes[1] is not None
    assert changes[1].change / changes[0].change == pytest.approx(0.47, abs=0.08)
    assert 35 <= calls_for_change(10, 1.0, 0.5, ALPHA) <= 40
    assert calls_for_change(10, 1.0, 1.0, ALPHA) == 10


def test_one_call_finds_nothing() -> None:
    assert (
        detectable_change(
            recorded(1),
            Statistic(None),
            sign=1.0,
            absolute=0.0,
            relative=None,
            turns_a_call=None,
            alpha=ALPHA,
            alpha_family=ALPHA,
            share=0.9,
        )
        is None
    )


def test_a_fault_that_hits_a_share_of_calls() -> None:
    found = detectable_share(20, lambda hit: hit >= 3, 0.9)
    assert found is not None
    # With that share three or more of twenty are hit with 90 %.
    assert stats.binom.sf(2, 20, found) == pytest.approx(0.9)
    assert detectable_share(20, lambda hit: False, 0.9) is None
    assert detectable_share(1, lambda hit: hit >= 1, 0.9) == pytest.approx(0.9)


def test_a_fault_that_is_in_some_call_at_least() -> None:
    calls = calls_for_one(0.05, 0.9)
    assert stats.binom.sf(0, calls, 0.05) >= 0.9 > stats.binom.sf(0, calls - 1, 0.05)


def test_a_number_that_lies_beyond_a_limit() -> None:
    beyond = detectable_spread(10.0, 19.0, ALPHA, 0.9)
    # By the noncentral distribution the same, but for the spread of the standard error itself.
    power = stats.nct.sf(stats.t.ppf(0.95, 19), 19, beyond / 10.0)
    assert power == pytest.approx(0.9, abs=0.01)
