"""The distribution functions are SciPy's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lkgate.stats.special import beta_cdf, beta_quantile, normal_quantile, t_cdf
from lkgate.stats.special import t_quantile as ours

shapes = st.floats(0.05, 2000.0)


@given(x=st.floats(0.0, 1.0), a=shapes, b=shapes)
def test_beta_distribution(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-7, abs=1e-10)


@given(p=st.floats(0.001, 0.999), a=st.floats(0.5, 500.0), b=st.floats(0.5, 500.0))
def test_beta_quantile(p: float, a: float, b: float) -> None:
    assert beta_quantile(p, a, b) == pytest.approx(stats.beta.ppf(p, a, b), rel=1e-7, abs=1e-9)


@given(t=st.floats(-60.0, 60.0), degrees=st.floats(1.0, 2000.0))
def test_t_distribution(t: float, degrees: float) -> None:
    assert t_cdf(t, degrees) == pytest.approx(stats.t.cdf(t, degrees), rel=1e-6, abs=1e-12)


@given(p=st.floats(0.001, 0.999), degrees=st.floats(1.0, 2000.0))
def test_t_quantile(p: float, degrees: float) -> None:
    assert ours(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-6, abs=1e-8)


@given(p=st.floats(0.0001, 0.9999))
def test_normal_distribution(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-9, abs=1e-12)


def test_the_ends() -> None:
    assert (beta_cdf(0.0, 2, 3), beta_cdf(1.0, 2, 3)) == (0.0, 1.0)
    assert t_cdf(0.0, 3) == 0.5
    assert math.isclose(t_quantile_of_one_call(), 6.313751514675043)


def t_quantile_of_one_call() -> float:
    """Two calls leave one degree of freedom: the price of having only two."""
    return ours(0.95, 1)
