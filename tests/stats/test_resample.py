"""Suites drawn from calls: whole calls, the same numbers as numpy's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from lkgate.stats.estimate import FromSpread
from lkgate.stats.resample import percentiles, ratios, resamples, spread
from lkgate.stats.turns import Statistic, Turns, excess

calls = st.lists(
    st.lists(st.integers(-50, 50).map(float), max_size=6), min_size=1, max_size=8
).filter(lambda made: any(made))
shares = st.sampled_from((0.5, 0.9, 0.95, 0.99))


def turns(made: list[list[float]]) -> Turns:
    return Turns.of([[(value, 1.0) for value in call] for call in made])


def test_a_suite_has_as_many_calls_as_were_recorded() -> None:
    drawn = resamples(7, times=500)
    assert drawn.shape == (500, 7)
    assert set(drawn.sum(axis=1)) == {7}
    assert np.array_equal(drawn, resamples(7, times=500))
    assert not np.array_equal(drawn, resamples(7, times=500, seed=1))
    # Of a multinomial draw: mean 1, variance 1 - 1/n.
    assert drawn.mean() == pytest.approx(1.0)
    assert drawn.var() == pytest.approx(6 / 7, rel=0.1)


@given(made=calls, share=shares)
def test_percentiles_are_those_of_the_turns_written_out(
    made: list[list[float]], share: float
) -> None:
    sample = turns(made)
    counts = resamples(len(made), times=20)
    found = percentiles(sample.amounts, sample.owners, share, counts)
    for suite, value in zip(counts, found, strict=True):
        written = [v for call, k in zip(made, suite, strict=True) for v in call * int(k)]
        if written:
            wanted = np.quantile(written, share, method="inverted_cdf")
            assert value == pytest.approx(float(wanted))
        else:
            assert np.isnan(value)


@given(made=calls)
def test_ratios_are_those_of_the_turns_written_out(made: list[list[float]]) -> None:
    counts = resamples(len(made), times=20)
    found = turns(made).replicates(Statistic(None), counts)
    for suite, value in zip(counts, found, strict=True):
        written = [v for call, k in zip(made, suite, strict=True) for v in call * int(k)]
        assert (value == pytest.approx(np.mean(written))) if written else np.isnan(value)


def test_standard_error_of_a_mean_is_the_textbooks() -> None:
    values = np.array([3.0, 9.0, 4.0, 7.0, 1.0, 12.0, 5.0, 8.0])
    counts = resamples(len(values), times=20_000)
    drawn = ratios(values, np.ones_like(values), counts)
    found = spread(drawn, len(values))
    assert found == pytest.approx(stats.sem(values), rel=0.02)
    estimate = turns([[float(v)] for v in values]).estimate(Statistic(None), seed=3)
    bounds = estimate.bounds(0.95)
    assert bounds is not None
    theirs = stats.t.interval(0.9, len(values) - 1, values.mean(), stats.sem(values))
    assert (bounds.low, bounds.high) == pytest.approx(theirs, rel=0.05)
    p = stats.ttest_1samp(values, 4.0, alternative="greater").pvalue
    assert estimate.p_above(4.0) == pytest.approx(p, rel=0.1)


def test_standard_error_is_scipys_bootstrap() -> None:
    """SciPy's has no correction for few calls: ours is larger by exactly that."""
    values = np.random.default_rng(5).normal(100, 20, 30)

    def median(sample: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return np.quantile(sample, 0.5, method="inverted_cdf", axis=axis)

    theirs = stats.bootstrap(
        (values,), median, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    )
    sample = turns([[float(v)] for v in values])
    drawn = sample.replicates(Statistic(0.5), resamples(30, times=20_000))
    found = spread(drawn, 30)
    assert found is not None
    assert found * np.sqrt(29 / 30) == pytest.approx(theirs.standard_error, rel=0.05)


def test_turns_of_one_call_count_together() -> None:
    """Ten turns of two calls are two calls, however alike the turns of a call are."""
    apart = turns([[10.0], [10.0], [10.0], [20.0], [20.0], [20.0]])
    together = turns([[10.0] * 3, [20.0] * 3])
    assert apart.value(Statistic(None)) == together.value(Statistic(None)) == 15.0
    narrow = apart.estimate(Statistic(None), seed=1).bounds(0.95)
    wide = together.estimate(Statistic(None), seed=1).bounds(0.95)
    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)


def test_one_call_and_no_spread() -> None:
    alone = turns([[1.0, 5.0]]).estimate(Statistic(None), seed=1)
    assert (alone.value, alone.error, alone.bounds(0.95)) == (3.0, None, None)
    assert (alone.p_above(0.0), alone.p_below(9.0)) == (1.0, 1.0)
    same = turns([[2.0], [2.0], [2.0]]).estimate(Statistic(None), seed=1)
    assert same.error == 0.0
    assert (same.p_above(1.9), same.p_above(2.0), same.p_below(2.0)) == (0.125, 1.0, 0.125)
    rounding = turns([[0.1 + 0.2], [0.3], [0.1 + 0.2]]).estimate(Statistic(None), seed=1)
    assert rounding.error == 0.0


def test_a_change_is_judged_beyond_the_larger_of_both_margins() -> None:
    before = turns([[100.0, 110.0], [90.0], [105.0, 95.0, 100.0]])
    now = Turns(before.amounts + 30.0, before.weights, before.owners, before.calls)
    mean = Statistic(None)
    for absolute, relative, value in ((10.0, None, 20.0), (None, 0.1, 20.0), (10.0, 0.25, 5.0)):
        found = excess(now, before, mean, sign=1.0, absolute=absolute, relative=relative)
        assert isinstance(found, FromSpread)
        assert found.value == pytest.approx(value)
        # A rise that is the same in every call has no spread, but for the share's.
        assert found.error == (0.0 if relative is None else pytest.approx(found.error))
    down = excess(now, before, mean, sign=-1.0, absolute=10.0, relative=None)
    assert isinstance(down, FromSpread)
    assert (down.value, down.error) == (-40.0, 0.0)
    percentile = excess(now, before, Statistic(0.5), sign=1.0, absolute=0.0, relative=None)
    assert isinstance(percentile, FromSpread)
    assert (percentile.value, percentile.error) == (30.0, 0.0)


def test_a_suite_without_a_denominator_says_nothing() -> None:
    empty = Turns.of([[(0.0, 0.0)], [(0.0, 0.0)], [(1.0, 2.0)]])
    found = empty.estimate(Statistic(None), seed=1)
    assert found.value == 0.5
    nothing = Turns.of([[(0.0, 0.0)], [(0.0, 0.0)]]).estimate(Statistic(None), seed=1)
    assert nothing.error is None
    none = Turns.of([[], []]).estimate(Statistic(0.5), seed=1)
    assert np.isnan(none.value)
    assert none.error is None
