"""Limits about calls to come: shown, excluded, or left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lkgate.gate.examine import Examined
from lkgate.model.check import Uncertainty
from lkgate.model.verdict import Finding
from tests.gate.suites import call, finding, gate, verdict
from tests.measure.builders import labels

MEAN = "metric: response_latency, aggregate: mean"
MS = 1000.0
# Rises of a call, in milliseconds, that scatter by about 40.
ROUGH = (10, -35, 60, -20, 45, -50, 25, -40, 55, 30, -25, 40)


def suite(*rises: float, turns: int = 4, base: float = 900.0) -> list[Examined]:
    """A call for each rise in milliseconds; turns within a call differ, calls do too."""
    made = []
    for n, rise in enumerate(rises):
        before = [(base + 20 * n + 50 * turn) * MS for turn in range(turns)]
        made.append(
            call(f"call-{n}", "response_latency", [value + rise * MS for value in before], before)
        )
    return made


def sure(found: Finding) -> Uncertainty:
    (check,) = found.checks
    assert check.uncertainty is not None
    return check.uncertainty


def test_a_regression_beyond_the_margin_fails() -> None:
    found = finding(f"{MEAN}, max_increase: 250 ms", suite(*(300 + one for one in ROUGH)))
    assert found.status == "fail"
    bounds = sure(found)
    assert bounds.low is not None
    assert 250 * MS < bounds.low < found.checks[0].observed
    assert (bounds.calls, bounds.method) == ((12,), "resampled_calls")
    assert bounds.p_broken == bounds.p_family < 0.05
    assert found.reason.startswith("mean of response_latency is 1.39 s, 308 ms above")
    assert "allowed is 250 ms (95 % sure: at least " in found.reason


def test_a_regression_beyond_the_margin_excluded_passes() -> None:
    found = finding(f"{MEAN}, max_increase: 250 ms", suite(*ROUGH))
    assert found.status == "pass"
    bounds = sure(found)
    assert bounds.high is not None
    assert bounds.high < 250 * MS
    assert bounds.p_holds < 0.05


def test_what_is_neither_is_no_verdict_and_says_how_many_calls_would_do() -> None:
    found = finding(f"{MEAN}, max_increase: 250 ms", suite(*(240 + one for one in ROUGH)))
    assert (found.status, found.undecided) == ("no_verdict", True)
    (problem,) = found.problems
    assert problem.reason.endswith("neither broken nor kept for sure")
    needed = sure(found).needed
    assert needed is not None
    assert problem.next_step == f"About {needed} calls like these 12 calls would decide it."
    # It is true: so many of the same calls do.
    many = (240 + ROUGH[n % len(ROUGH)] for n in range(needed + 12))
    assert finding(f"{MEAN}, max_increase: 250 ms", suite(*many)).status == "pass"
    assert {place.call for place in found.evidence} <= {f"call-{n}" for n in range(12)}


def test_a_change_at_the_margin_itself_is_decided_by_no_number_of_calls() -> None:
    found = finding(f"{MEAN}, max_increase: 10 ms", suite(-30, 50, -30, 50))
    assert sure(found).needed is None
    assert "no number of calls decides it" in str(found.problems[0].next_step)


@pytest.mark.parametrize("calls", [1, 2, 9])
@pytest.mark.parametrize("margin", ["0 ms", "250 ms", "5%", "{absolute: 1 ms, relative: 1%}"])
@pytest.mark.parametrize("aggregate", ["p50", "mean"])
def test_a_build_that_changes_nothing_passes(calls: int, margin: str, aggregate: str) -> None:
    rule = f"metric: response_latency, aggregate: {aggregate}, max_increase: {margin}"
    found = finding(rule, suite(*[0.0] * calls))
    assert found.status == "pass"
    assert sure(found).method == "no_change"
    assert (sure(found).low, sure(found).high) == (0.0, 0.0)


def test_one_call_says_nothing_of_others() -> None:
    for rise in (-100, 100, 900):
        found = finding(f"{MEAN}, max_increase: 250 ms", suite(rise))
        assert (found.status, found.undecided) == ("no_verdict", True)
        assert found.problems[0].reason.endswith(
            "so few calls cannot tell what other calls would show"
        )
        assert sure(found).low is None
    alone = f"{MEAN}, max_increase: 250 ms, about: these_calls"
    assert finding(alone, suite(-100)).status == "pass"
    assert finding(alone, suite(900)).status == "fail"
    assert finding(alone, suite(900)).checks[0].uncertainty is None


def test_two_calls_count_for_little() -> None:
    rule = f"{MEAN}, max_increase: 250 ms"
    assert finding(rule, suite(300, 330)).status == "no_verdict"
    assert finding(rule, suite(290, 300, 310, 320)).status == "fail"


def test_a_rise_that_is_the_same_everywhere_is_the_builds() -> None:
    for aggregate in ("mean", "p50", "p90"):
        rule = f"metric: response_latency, aggregate: {aggregate}, max_increase"
        for allowed, status in (("250 ms", "fail"), ("299 ms", "fail"), ("300 ms", "pass")):
            found = finding(f"{rule}: {allowed}", suite(*[300.0] * 5))
            assert found.status == status, (aggregate, allowed)
            assert sure(found).low == sure(found).high == pytest.approx(300 * MS)


def test_turns_of_one_call_are_one_call() -> None:
    """One call of many slow turns is no evidence of many slow calls."""
    rises = [0.0] * 7 + [2000.0]
    found = finding(f"{MEAN}, max_increase: 100 ms", suite(*rises, turns=20))
    assert found.checks[0].observed > 100 * MS
    assert (found.status, found.undecided) == ("no_verdict", True)


def test_both_margins_must_be_exceeded() -> None:
    calls = suite(*(300 + one for one in ROUGH))
    for margin, status in (
        ("{absolute: 250 ms, relative: 20%}", "fail"),
        ("{absolute: 250 ms, relative: 40%}", "pass"),
        ("{absolute: 400 ms, relative: 20%}", "pass"),
        ("{absolute: 250 ms, relative: 28%}", "no_verdict"),
        ("20%", "fail"),
        ("40%", "pass"),
    ):
        assert finding(f"{MEAN}, max_increase: {margin}", calls).status == status, margin


def test_a_fall_is_the_mirror_of_a_rise() -> None:
    calls = suite(*(-300 + one for one in ROUGH))
    found = finding(f"{MEAN}, max_decrease: 200 ms", calls)
    assert found.status == "fail"
    low = sure(found).low
    assert low is not None
    assert 200 * MS < low < found.checks[0].observed
    assert finding(f"{MEAN}, max_decrease: 400 ms", calls).status == "pass"


def test_confidence_of_the_gate_and_of_a_rule() -> None:
    calls = suite(*(260 + one for one in ROUGH))
    rule = f"{MEAN}, max_increase: 250 ms"
    assert finding(rule, calls).status == "no_verdict"
    assert finding(rule, calls, head="confidence: 80%\n").status == "fail"
    found = finding(f"{rule}, confidence: 80%", calls)
    assert found.status == "fail"
    assert sure(found).confidence == pytest.approx(0.8)


def test_a_gate_says_what_becomes_of_what_is_undecided() -> None:
    calls = suite(*(240 + one for one in ROUGH))
    rules = (f"{MEAN}, max_increase: 250 ms", "metric: unanswered_turns, aggregate: sum, max: 0")
    for head, status in (
        ("", "no_verdict"),
        ("undecided: no_verdict\n", "no_verdict"),
        ("undecided: fail\n", "fail"),
        ("undecided: pass_with_warning\n", "pass"),
    ):
        found = verdict(gate(*rules, head=head), calls)
        assert found.status == status
        # The finding itself stays what it is.
        assert [one.status for one in found.findings] == ["no_verdict", "pass"]
        assert found.decides(found.findings[0]) == (status != "pass")


def test_missing_evidence_is_never_let_pass_as_undecided() -> None:
    head = "undecided: pass_with_warning\n"
    calls = suite(*ROUGH)
    few = gate(f"{MEAN}, max_increase: 250 ms, min_n: 1000", head=head)
    assert verdict(few, calls).status == "no_verdict"
    nothing = gate(f"{MEAN}, max_increase: 250 ms", "metric: barge_in_yield, aggregate: mean, "
                   "max_increase: 1 s", head=head)  # fmt: skip
    assert verdict(nothing, calls).status == "no_verdict"


def family(correction: str, rules: Sequence[str]) -> list[str]:
    calls = suite(*(265 + one for one in ROUGH))
    head = f"family: {correction}\n"
    return [one.status for one in verdict(gate(*rules, head=head), calls).findings]


def test_many_rules_make_no_false_alarms() -> None:
    """The p-value of each is 0.04 or so: enough alone, not among six."""
    rule = f"{MEAN}, max_increase: 250 ms"
    alone = finding(rule, suite(*(265 + one for one in ROUGH)))
    assert 0.03 < sure(alone).p_broken < 0.05
    assert alone.status == "fail"
    assert family("none", [rule] * 6) == ["fail"] * 6
    assert family("holm", [rule] * 6) == ["no_verdict"] * 6
    # Of false discoveries few are allowed, and six of six are not false.
    assert family("benjamini-hochberg", [rule] * 6) == ["fail"] * 6
    held = f"{MEAN}, max_increase: 900 ms"
    assert family("benjamini-hochberg", [rule, *[held] * 5]) == ["no_verdict", *["pass"] * 5]
    # A warning decides nothing, and costs nothing.
    warned = f"{held}, severity: warning"
    assert family("holm", [rule, *[warned] * 5]) == ["fail", *["pass"] * 5]
    # A fact about these calls is no test, and costs nothing either.
    fact = "metric: unanswered_turns, aggregate: sum, max: 0"
    assert family("holm", [rule, *[fact] * 5]) == ["fail", *["pass"] * 5]


def test_the_reason_says_that_the_others_are_why() -> None:
    rule = f"{MEAN}, max_increase: 250 ms"
    found = verdict(gate(*[rule] * 6), suite(*(265 + one for one in ROUGH))).findings[0]
    assert found.problems[0].reason.endswith(
        "and by itself that would count, but not among all rules"
    )


def test_order_of_calls_and_of_rules_changes_nothing() -> None:
    calls = suite(*(240 + one for one in ROUGH))
    rules = gate(f"{MEAN}, max_increase: 250 ms", f"{MEAN}, max_increase: 200 ms")
    one, other = verdict(rules, calls), verdict(rules, calls[::-1])
    assert [found.checks for found in one.findings] == [found.checks for found in other.findings]


def test_values_without_end_or_number_have_no_verdict() -> None:
    rule = f"{MEAN}, max_increase: 250 ms"
    for wrong in (float("nan"), float("inf"), float("-inf")):
        for now, before in (([wrong, 1.0], [1.0, 1.0]), ([1.0, 1.0], [wrong, 1.0])):
            calls = [*suite(*ROUGH), call("wrong", "response_latency", now, before)]
            found = finding(rule, calls)
            assert (found.status, found.undecided) == ("no_verdict", False)
            assert f"the value is {wrong}" in found.reason


def test_a_limit_about_calls_to_come() -> None:
    calls = suite(*[0.0] * 12)
    exact = f"{MEAN}, max: 1.2 s"
    assert finding(exact, calls).status == "pass"
    assert finding(exact, calls).checks[0].uncertainty is None
    sampled = f"{exact}, about: calls_to_come"
    assert finding(sampled, calls).status == "pass"
    near = finding(f"{MEAN}, max: 1.09 s, about: calls_to_come", calls)
    assert (near.status, near.undecided) == ("no_verdict", True)
    low = finding(f"{MEAN}, min: 900 ms, about: calls_to_come", calls)
    assert low.status == "pass"
    bounds = sure(low)
    assert bounds.low is not None
    assert bounds.high is not None
    assert 900 * MS < bounds.low < low.checks[0].observed < bounds.high
    assert finding(f"{MEAN}, max: 900 ms, about: calls_to_come", calls).status == "fail"
    one = finding(f"{MEAN}, max: 9 s, about: calls_to_come", suite(0.0))
    assert (one.status, one.undecided) == ("no_verdict", True)


def test_takes_of_one_recording_are_one_call() -> None:
    """Twelve takes of one call in a live room say much about that call, and nothing of others."""
    rule = f"{MEAN}, max_increase: 250 ms"
    calls = suite(*(300 + one for one in ROUGH))
    assert finding(rule, calls).status == "fail"

    def takes(recordings: int) -> list[Examined]:
        return [
            replace(one, call=replace(one.call, take_of=f"recording-{n % recordings}"))
            for n, one in enumerate(calls)
        ]

    alone = finding(rule, takes(1))
    assert (alone.status, alone.undecided) == ("no_verdict", True)
    assert (sure(alone).calls, sure(finding(rule, takes(4))).calls) == ((1,), (4,))
    assert finding(rule, takes(4)).status == "fail"
    assert finding(f"{rule}, about: these_calls", takes(1)).status == "fail"
    done = "metric: task_completed, aggregate: mean, min: 60%, about: calls_to_come"
    complete = [call(str(n), "task_completed", [1.0]) for n in range(9)]
    thrice = [
        replace(one, call=replace(one.call, take_of=f"recording-{n % 3}"))
        for n, one in enumerate(complete)
    ]
    assert sure(finding(done, thrice)).low == sure(finding(done, complete[:3])).low
    gap = f"{MEAN}, max_gap_between: language, max_gap: 1 s"
    spoken = [
        replace(one, call=replace(one.call, labels=labels("x", cohort={"language": language})))
        for one, language in zip(takes(2), ("en", "de") * 6, strict=True)
    ]
    (check,) = finding(gap, spoken).checks
    assert check.uncertainty is not None
    assert check.uncertainty.calls == (1, 1)
