"""Bounds and p-values say the same, whichever way they are made."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from lkgate.stats.estimate import (
    Estimate,
    FromBounds,
    FromSpread,
    Unchanged,
    WithUnseen,
    factor_needed,
)
from lkgate.stats.shares import Bounds, clopper_pearson

spreads = st.builds(
    FromSpread,
    value=st.floats(-100, 100),
    error=st.floats(0.01, 50),
    degrees=st.integers(1, 100).map(float),
)


def share(hits: int, n: int) -> FromBounds:
    def formula(confidence: float, factor: float) -> Bounds:
        return clopper_pearson(hits * factor, n * factor, confidence)

    return FromBounds(hits / n, formula)


shares = st.integers(1, 40).flatmap(lambda n: st.integers(0, n).map(lambda hits: share(hits, n)))


@given(estimate=spreads, limit=st.floats(-100, 100), alpha=st.sampled_from((0.2, 0.05, 0.005)))
def test_a_p_value_is_below_alpha_where_the_bound_is_beyond_the_limit(
    estimate: FromSpread, limit: float, alpha: float
) -> None:
    check(estimate, limit, alpha)


unseens = st.builds(
    lambda seen, further, calls: WithUnseen(seen, seen.value + further, calls),
    spreads,
    st.floats(-1, 50),
    st.integers(2, 60).map(float),
)


@given(estimate=unseens, limit=st.floats(-100, 100), alpha=st.sampled_from((0.2, 0.05, 0.005)))
def test_the_same_of_what_is_rare(estimate: WithUnseen, limit: float, alpha: float) -> None:
    check(estimate, limit, alpha)


def test_calls_that_are_all_the_same_are_a_sign_test() -> None:
    """SciPy's binomtest(n, n, 0.5, "greater") is 2 to the power of -n."""
    four, five = FromSpread(1.0, 0.0, 3.0), FromSpread(1.0, 0.0, 4.0)
    assert (four.p_above(0.5), five.p_above(0.5)) == (1 / 16, 1 / 32)
    assert (four.p_below(0.5), four.p_below(1.5)) == (1.0, 1 / 16)
    assert four.bounds(0.95) is None
    assert five.bounds(0.95) == Bounds(1.0, 1.0)


def test_what_no_call_showed_may_be_in_others() -> None:
    """The rule of three: with n calls without it, 3 / n of calls may have it."""
    none = WithUnseen(FromSpread(0.0, 0.0, 99.0), worst=1.0, calls=100.0)
    bounds = none.bounds(0.95)
    assert bounds is not None
    assert math.isclose(bounds.high, clopper_pearson(0, 100, 0.95).high)
    assert none.below(0.03, 0.05) and not none.below(0.029, 0.05)
    # That half of each call is the most that can be makes it half as much.
    half = WithUnseen(FromSpread(0.0, 0.0, 99.0), worst=0.5, calls=100.0)
    assert half.below(0.015, 0.05) and not half.below(0.0145, 0.05)


@given(estimate=shares, limit=st.floats(0.01, 0.99), alpha=st.sampled_from((0.2, 0.05, 0.005)))
def test_the_same_of_shares(estimate: FromBounds, limit: float, alpha: float) -> None:
    check(estimate, limit, alpha)


def check(estimate: Estimate, limit: float, alpha: float) -> None:
    bounds = estimate.bounds(1 - alpha)
    assert bounds is not None
    assert bounds.low <= estimate.value <= bounds.high
    near = 1e-9 * max(1.0, abs(limit))
    if abs(bounds.low - limit) > near:
        assert estimate.above(limit, alpha) == (bounds.low > limit)
        assert (estimate.p_above(limit) <= alpha * 1.000001) == (bounds.low > limit)
    if abs(bounds.high - limit) > near:
        assert estimate.below(limit, alpha) == (bounds.high <= limit)
        assert (estimate.p_below(limit) <= alpha * 1.000001) == (bounds.high <= limit)
    assert not (estimate.above(limit, alpha) and estimate.below(limit, alpha))


@given(estimate=spreads, factor=st.floats(1.1, 50))
def test_more_calls_leave_less_room(estimate: FromSpread, factor: float) -> None:
    few, many = estimate.bounds(0.95), estimate.scaled(factor).bounds(0.95)
    assert few is not None
    assert many is not None
    assert few.low < many.low <= many.high < few.high


def test_what_no_call_changed_is_at_its_limit() -> None:
    same = Unchanged(0.0)
    assert (same.p_above(0.0), same.p_below(0.0)) == (1.0, 0.0)
    assert (same.above(-1.0, 0.05), same.below(-1.0, 0.05)) == (True, False)
    assert same.bounds(0.95) == Bounds(0.0, 0.0)
    assert same.scaled(3.0) == same


def test_how_many_calls_would_decide() -> None:
    near = FromSpread(1.0, 1.0, 9.0)
    factor = factor_needed(near, 0.0, 0.05, 0.05)
    assert near.scaled(factor).above(0.0, 0.05)
    assert not near.scaled(factor / 1.05).above(0.0, 0.05)
    assert 2.5 < factor < 3.5
    assert factor_needed(FromSpread(0.0, 1.0, 9.0), 0.0, 0.05, 0.05) == math.inf
    assert factor_needed(FromSpread(5.0, None, 0.0), 0.0, 0.05, 0.05) == math.inf
    # SciPy's binomtest: 11 of 15 are not above one half (p 0.059), 12 of 16 are (p 0.038).
    assert 14 < 4 * factor_needed(share(3, 4), 0.5, 0.05, 0.05) <= 16
