"""Corrections for many questions are statsmodels'."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lkgate.stats.family import benjamini_hochberg, holm

many = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


@settings(max_examples=30)  # theirs collects garbage each time
@given(many)
def test_holm(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


@given(many)
def test_benjamini_hochberg(p_values: list[float]) -> None:
    theirs = multipletests(p_values, method="fdr_bh")[1]
    assert benjamini_hochberg(p_values) == pytest.approx(theirs)


def test_no_question() -> None:
    assert holm([]) == benjamini_hochberg([]) == []


def test_one_question_needs_no_correction() -> None:
    assert holm([0.03]) == benjamini_hochberg([0.03]) == [0.03]
