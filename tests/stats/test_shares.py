"""Intervals of shares are statsmodels' and SciPy's on the same input, and cover the truth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from lkgate.stats.shares import (
    clopper_pearson,
    independent_difference,
    paired_difference,
    wilson,
)

confidences = st.sampled_from((0.9, 0.95, 0.975, 0.995))
counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def both_sides(confidence: float) -> float:
    """The alpha of a two-sided interval whose ends are our one-sided bounds."""
    return 2 * (1 - confidence)


@given(count=counts, confidence=confidences)
def test_wilson(count: tuple[int, int], confidence: float) -> None:
    hits, n = count
    found = wilson(hits, n, confidence)
    low, high = proportion_confint(hits, n, both_sides(confidence), method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
    theirs = stats.binomtest(hits, n).proportion_ci(1 - both_sides(confidence), "wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@given(count=counts, confidence=confidences)
def test_clopper_pearson(count: tuple[int, int], confidence: float) -> None:
    hits, n = count
    found = clopper_pearson(hits, n, confidence)
    low, high = proportion_confint(hits, n, both_sides(confidence), method="beta")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-8)
    theirs = stats.binomtest(hits, n).proportion_ci(1 - both_sides(confidence), "exact")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-8)


@given(one=counts, other=counts, confidence=confidences)
def test_difference_of_independent_shares(
    one: tuple[int, int], other: tuple[int, int], confidence: float
) -> None:
    found = independent_difference(*one, *other, confidence)
    low, high = confint_proportions_2indep(
        *one, *other, method="newcomb", compare="diff", alpha=both_sides(confidence)
    )
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


table = st.tuples(*[st.integers(0, 40)] * 4).filter(lambda cells: sum(cells) > 0)


@given(cells=table, confidence=confidences)
def test_paired_difference_is_the_independent_one_if_nothing_goes_together(
    cells: tuple[int, int, int, int], confidence: float
) -> None:
    both, only_now, only_before, neither = cells
    n = sum(cells)
    found = paired_difference(*cells, confidence)
    share = (only_now - only_before) / n
    assert found.low - 1e-12 <= share <= found.high + 1e-12
    now, before = both + only_now, both + only_before
    if now in (0, n) or before in (0, n) or both * neither == only_now * only_before:
        loose = independent_difference(now, n, before, n, confidence)
        assert (found.low, found.high) == pytest.approx((loose.low, loose.high))
    # The other way around it is the same interval, mirrored.
    mirrored = paired_difference(both, only_before, only_now, neither, confidence)
    assert (-mirrored.high, -mirrored.low) == pytest.approx((found.low, found.high))


@pytest.mark.parametrize("n", [20, 50])
@pytest.mark.parametrize(("worse", "better"), [(0.05, 0.05), (0.1, 0.02), (0.2, 0.1), (0.02, 0.0)])
def test_paired_difference_covers_the_truth(n: int, worse: float, better: float) -> None:
    """Over all outcomes, by their probability: a false alarm is about as rare as promised."""
    false = 0.0
    for k in range(n + 1):
        for m in range(n + 1 - k):
            p = _multinomial(n, k, m, worse, better)
            if p > 1e-9:
                found = paired_difference(0, k, m, n - k - m, 0.95)
                false += p * (found.low > worse - better)
    assert false <= 0.06


def _multinomial(n: int, k: int, m: int, worse: float, better: float) -> float:
    rest = n - k - m
    ways = math.factorial(n) / math.factorial(k) / math.factorial(m) / math.factorial(rest)
    return float(ways * worse**k * better**m * (1 - worse - better) ** rest)
