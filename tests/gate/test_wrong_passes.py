"""How often a limit about calls to come is said to hold though the truth lies beyond it."""

from __future__ import annotations

import random

import pytest

from tests.gate.suites import call, finding

SUITES = 200


@pytest.mark.parametrize(
    ("calls", "truth", "limit"),
    [(3, 0.05, 0.02), (9, 0.02, 0.01), (9, 0.05, 0.02), (20, 0.02, 0.01)],
)
def test_of_a_rare_fault(calls: int, truth: float, limit: float) -> None:
    """Six turns a call, each with the fault by chance: one suite in twenty, and some more."""
    chance = random.Random(4)
    rule = f"metric: barge_ins, aggregate: mean, max: {limit}, about: calls_to_come"

    def suite() -> bool:
        turns = [[float(chance.random() < truth) for _ in range(6)] for _ in range(calls)]
        made = [call(str(at), "barge_ins", values, values) for at, values in enumerate(turns)]
        return finding(rule, made).status == "pass"

    assert sum(suite() for _ in range(SUITES)) <= 0.06 * SUITES


def test_but_enough_calls_without_it_pass() -> None:
    clean = [call(str(at), "barge_ins", [0.0] * 6, [0.0] * 6) for at in range(50)]
    rule = "metric: barge_ins, aggregate: mean, max: 0.01, about: calls_to_come"
    assert finding(rule, clean).status == "pass"
    assert finding(rule, clean[:20]).status == "no_verdict"
