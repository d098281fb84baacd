"""Cohorts: each level judged, the gap between levels, shares of calls, and too little of any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from lkgate.errors import GateFileError
from lkgate.gate.examine import Examined
from lkgate.gate.support import refuse_percentiles, refuse_slices
from lkgate.measure.session import session_of
from lkgate.model.verdict import Finding
from tests.gate.suites import Value, call, finding, gate, verdict
from tests.measure.builders import V1, Step, labels, play

DONE = "task_completed"
WORDS = 20.0


def calls_of(accent: str, now: Sequence[float], before: Sequence[float]) -> list[Examined]:
    """Calls with an accent that were completed or not."""
    return [
        call(f"{accent}-{n}", DONE, [after], [was], {"accent": accent})
        for n, (after, was) in enumerate(zip(now, before, strict=True))
    ]


def heard(accent: str, calls: int, wrong: float, before: float) -> list[Examined]:
    """Calls with an accent in which about so many of 20 words a turn are heard wrong."""

    def turns(n: int, rate: float) -> list[Value]:
        # More and fewer around the rate, so that calls and turns differ.
        return [(max(0.0, rate * WORDS + (n % 3 - 1) * 0.5 * turn), WORDS) for turn in range(4)]

    return [
        call(
            f"{accent}-{n}",
            "word_error_rate",
            turns(n, wrong),
            turns(n, before),
            {"accent": accent},
        )
        for n in range(calls)
    ]


def by_level(found: Sequence[Finding]) -> dict[str, str]:
    return {one.rule.where.get("accent", ""): one.status for one in found}


def test_a_cohort_that_drops_is_named_where_the_average_holds() -> None:
    """Ten points of word error rate in one accent of four are two and a half on average."""
    calls = [
        *heard("american", 20, 0.08, 0.08),
        *heard("english", 20, 0.08, 0.08),
        *heard("irish", 20, 0.08, 0.08),
        *heard("scottish", 20, 0.18, 0.08),
    ]
    rule = "metric: word_error_rate, aggregate: rate, max_increase: 5 points"
    found = verdict(gate(rule, f"{rule}, by: accent"), calls)
    average, *levels = found.findings
    assert (average.status, found.status) == ("pass", "fail")
    assert average.checks[0].observed == pytest.approx(0.025)
    assert by_level(levels) == {
        "american": "pass",
        "english": "pass",
        "irish": "pass",
        "scottish": "fail",
    }
    (worst,) = (one for one in levels if one.status == "fail")
    assert worst.rule.label == "r1 [accent scottish]"
    assert "10.0 points above the baseline's" in worst.reason
    assert {place.call.split("-")[0] for place in worst.evidence} == {"scottish"}


def test_a_drop_of_task_completion_in_one_cohort_is_named() -> None:
    """Four calls of forty, in one of three accents: 3.3 points on average."""
    whole = [1.0] * 40
    calls = [
        *calls_of("american", whole, whole),
        *calls_of("irish", whole, whole),
        *calls_of("scottish", [0.0] * 4 + [1.0] * 36, whole),
    ]
    rule = f"metric: {DONE}, aggregate: mean"
    found = verdict(
        gate(
            f"{rule}, min: 95%", f"{rule}, max_decrease: 5 points", f"{rule}, min: 95%, by: accent"
        ),
        calls,
    )
    limit, average, *levels = found.findings
    assert limit.status == "pass"
    assert limit.observed == pytest.approx(116 / 120)
    # By the average alone not even this much is sure: 3.3 points, and at most 7.
    assert (average.status, average.undecided) == ("no_verdict", True)
    assert by_level(levels) == {"american": "pass", "irish": "pass", "scottish": "fail"}
    assert {place.call for place in levels[-1].evidence} == {f"scottish-{n}" for n in range(4)}


def test_levels_come_from_labels_and_a_call_without_one_might_be_of_any() -> None:
    calls = [*calls_of("irish", [1.0], [1.0]), *calls_of("welsh", [1.0], [1.0])]
    rule = f"metric: {DONE}, aggregate: mean, max_decrease: 0 points, by: accent"
    assert by_level(verdict(gate(rule), calls).findings) == {"irish": "pass", "welsh": "pass"}
    silent = call("silent", DONE, [1.0], cohort={"language": "en"})
    found = verdict(gate(rule), [*calls, silent]).findings
    assert by_level(found) == {"irish": "no_verdict", "welsh": "no_verdict"}
    assert {one.reason for one in found} == {"silent: its labels do not say its accent"}
    (none,) = verdict(gate(rule), [silent]).findings
    assert none.status == "no_verdict"
    (empty,) = verdict(gate(rule), []).findings
    assert empty.status == "no_verdict"


def test_a_level_with_one_call_is_judged_only_if_nothing_changed_or_on_itself() -> None:
    calls = [*heard("irish", 30, 0.10, 0.08), *heard("welsh", 1, 0.10, 0.08)]
    rule = "metric: word_error_rate, aggregate: rate, max_increase: 5 points, by: accent"
    found = verdict(gate(rule), calls).findings
    assert by_level(found) == {"irish": "pass", "welsh": "no_verdict"}
    assert "so few calls cannot tell" in found[1].reason
    same = [*heard("irish", 30, 0.10, 0.08), *heard("welsh", 1, 0.08, 0.08)]
    assert by_level(verdict(gate(rule), same).findings) == {"irish": "pass", "welsh": "pass"}
    exact = f"{rule}, about: these_calls"
    assert by_level(verdict(gate(exact), calls).findings) == {"irish": "pass", "welsh": "pass"}


def test_levels_are_those_of_the_slice() -> None:
    calls = [
        call("a", DONE, [1.0], cohort={"accent": "irish", "noise": "street"}),
        call("b", DONE, [0.0], cohort={"accent": "irish", "noise": "none"}),
        call("c", DONE, [0.0], cohort={"accent": "welsh", "noise": "none"}),
        # Whatever its accent is, it is no call from a street.
        call("d", DONE, [0.0], cohort={"noise": "none"}),
    ]
    rule = f"metric: {DONE}, aggregate: mean, min: 100%, by: accent"
    assert by_level(verdict(gate(f"{rule}, where: {{noise: street}}"), calls).findings) == {
        "irish": "pass"
    }
    irish = verdict(gate(f"{rule}, where: {{accent: irish}}"), calls[:3]).findings
    assert by_level(irish) == {"irish": "fail"}
    assert irish[0].observed == 0.5
    (none,) = verdict(gate(f"{rule}, where: {{accent: scottish}}"), calls[:3]).findings
    assert (none.status, dict(none.rule.where)) == ("no_verdict", {"accent": "scottish"})


def test_both_a_slice_and_its_levels() -> None:
    calls = [
        call("a", DONE, [1.0], cohort={"accent": "irish", "noise": "street"}),
        call("b", DONE, [0.0], cohort={"accent": "irish", "noise": "none"}),
        call("c", DONE, [1.0], cohort={"accent": "welsh", "noise": "none"}),
    ]
    rule = f"metric: {DONE}, aggregate: mean, min: 100%, where: {{accent: irish}}, by: noise"
    found = verdict(gate(rule), calls).findings
    assert [(dict(one.rule.where), one.status) for one in found] == [
        ({"accent": "irish", "noise": "none"}, "fail"),
        ({"accent": "irish", "noise": "street"}, "pass"),
    ]


GAP = f"metric: {DONE}, aggregate: mean, max_gap_between: accent, max_gap: 10 points"


def test_the_gap_between_cohorts() -> None:
    good = [1.0] * 58 + [0.0] * 2
    near, far = [1.0] * 57 + [0.0] * 3, [1.0] * 30 + [0.0] * 30
    for other, status in ((near, "pass"), (far, "fail"), ([1.0] * 52 + [0.0] * 8, "no_verdict")):
        calls = [*calls_of("american", good, good), *calls_of("scottish", other, other)]
        found = finding(GAP, calls)
        assert found.status == status, found.reason
    calls = [*calls_of("american", good, good), *calls_of("scottish", far, far)]
    found = finding(GAP, calls)
    assert found.reason.startswith(
        "mean of task_completed lies 46.7 points apart (accent american 96.7 %, accent scottish "
        "50.0 %), allowed is 10.0 points (95 % sure: at least 34."
    )
    assert {place.call.split("-")[0] for place in found.evidence} == {"scottish"}
    assert {place.value for place in found.evidence} == {0.0}
    (check,) = found.checks
    assert check.uncertainty is not None
    assert (check.uncertainty.calls, check.uncertainty.method) == ((60, 60), "shares_of_calls")
    assert finding(f"{GAP}, about: these_calls", calls).status == "fail"


def test_more_levels_make_a_gap_harder_to_show_and_all_must_be_near() -> None:
    ms = 1000.0

    def slow(accent: str, base: float, calls: int = 8) -> list[Examined]:
        return [
            call(
                f"{accent}-{n}",
                "response_latency",
                [(base + 15 * n + 40 * turn) * ms for turn in range(3)],
                cohort={"accent": accent},
            )
            for n in range(calls)
        ]

    rule = "metric: response_latency, aggregate: mean, max_gap_between: accent, max_gap: 100 ms"
    assert finding(rule, [*slow("a", 900), *slow("b", 910)]).status == "pass"
    two = [*slow("a", 900), *slow("b", 1045)]
    assert finding(rule, two).status == "fail"
    more = [one for name in "cdefg" for one in slow(name, 970)]
    assert finding(rule, [*two, *more]).status == "no_verdict"
    far = finding(rule, [*slow("a", 900), *more, *slow("b", 1300)])
    assert far.status == "fail"
    assert "accent b 1.39 s, accent a 992 ms" in far.reason
    lonely = finding(rule, [*slow("a", 900), *slow("b", 900, calls=1)])
    assert (lonely.status, lonely.undecided) == ("no_verdict", True)
    one = finding(rule, slow("a", 900))
    assert one.reason == "there is only accent a, and a gap needs two levels"
    unknown = finding(rule, [*two, call("x", "response_latency", [1.0], cohort={"noise": "none"})])
    assert unknown.reason == "x: its labels do not say its accent"
    equal = finding(rule, [*slow("a", 900), *slow("b", 900)])
    assert (equal.status, equal.checks[0].observed) == ("pass", 0.0)


def test_every_level_of_a_gap_carries_the_percentile() -> None:
    rule = "metric: response_latency, aggregate: p90, max_gap_between: accent, max_gap: 100 ms"
    calls = [
        *(call(f"a-{n}", "response_latency", [1.0] * 4, cohort={"accent": "a"}) for n in range(3)),
        *(call(f"b-{n}", "response_latency", [1.0] * 4, cohort={"accent": "b"}) for n in range(2)),
    ]
    found = finding(rule, calls)
    assert (found.status, found.undecided) == ("no_verdict", False)
    assert found.reason == (
        "accent b has 8 samples out of 2 calls, and a p90 needs 10 samples out of 2 calls"
    )


def test_a_percentile_is_of_calls_that_can_be_compared() -> None:
    rule = "metric: response_latency, aggregate: p95, max_increase: 1 s"
    others = [call(f"b-{n}", "response_latency", [1.0], cohort={}) for n in range(3)]
    found = finding(
        rule, [call("a", "response_latency", [1.0] * 20, cohort={}), *map(unpaired, others)]
    )
    assert found.status == "no_verdict"
    assert "20 samples out of 1 call, and a p95 needs 20 samples out of 4 calls" in found.reason


def unpaired(one: Examined) -> Examined:
    """The same call, none of whose turns is one of the baseline's."""
    assert one.call.difference is not None
    difference = replace(one.call.difference, pairs=())
    return replace(one, call=replace(one.call, difference=difference))


def test_a_level_of_a_gap_needs_the_calls_too() -> None:
    rule = "metric: response_latency, aggregate: p95, max_gap_between: accent, max_gap: 1 s"
    many = [
        call(f"a-{n}", "response_latency", [1.0] * 20, cohort={"accent": "a"}) for n in range(4)
    ]
    one = call("b", "response_latency", [1.0] * 40, cohort={"accent": "b"})
    told = "accent b has 40 samples out of 1 call, and a p95 needs 20 samples out of 4 calls"
    assert finding(rule, [*many, one]).reason == told


def test_cohorts_that_only_look_alike_are_refused() -> None:
    latency = "metric: response_latency, aggregate: mean, max: 1 s"
    said = [{"accent": "scottish"}, {"accent": "Scottish"}]
    for rule in ("where: {accent: scottish}", "by: accent"):
        assert refused(f"{latency}, {rule}", *said) == (
            "gate.yaml: the rule `r0`: labels say accent `Scottish` and `scottish`, which are two "
            "cohorts\n  Write it the same in every labels.yaml."
        )


@pytest.mark.parametrize(("calls", "turns", "status"), [(8, 20, "no_verdict"), (20, 5, "pass")])
def test_a_percentile_of_few_long_calls_is_none(calls: int, turns: int, status: str) -> None:
    rule = "metric: response_latency, aggregate: p99, max: 2 s"
    long = [call(f"a-{n}", "response_latency", [1.0] * turns, cohort={}) for n in range(calls)]
    found = finding(rule, long)
    assert found.status == status
    if status == "no_verdict":
        told = "160 samples out of 8 calls, and a p99 needs 100 samples out of 20 calls"
        assert found.reason == told


def test_shares_of_calls_are_not_taken_from_a_handful() -> None:
    """Resampling would be sure of what one call in a hundred shows; Wilson's interval is not."""
    rule = f"metric: {DONE}, aggregate: mean, max_decrease: 2 points"
    whole = [1.0] * 100
    found = finding(rule, calls_of("a", [0.0, *whole[1:]], whole))
    assert (found.status, found.undecided) == ("no_verdict", True)
    (check,) = found.checks
    assert check.uncertainty is not None
    assert check.uncertainty.method == "shares_of_calls"
    assert check.uncertainty.high is not None
    assert 0.03 < check.uncertainty.high < 0.06
    assert finding(rule, calls_of("a", [0.0] * 12 + whole[12:], whole)).status == "fail"
    assert finding(rule, calls_of("a", whole, [0.0] * 12 + whole[12:])).status == "pass"
    assert finding(rule, calls_of("a", whole, whole)).status == "pass"
    # A margin of nothing is a promise about each of these calls.
    none = f"metric: {DONE}, aggregate: mean, max_decrease: 0 points"
    assert finding(none, calls_of("a", [0.0, *whole[1:]], whole)).status == "fail"
    sampled = f"{none}, about: calls_to_come"
    assert finding(sampled, calls_of("a", [0.0, *whole[1:]], whole)).status == "no_verdict"
    exact = f"metric: {DONE}, aggregate: mean, min: 90%, about: calls_to_come"
    assert finding(exact, calls_of("a", [0.0, *whole[1:]], whole)).status == "pass"
    assert finding(exact, calls_of("a", [1.0] * 12, [1.0] * 12)).status == "no_verdict"
    assert finding(exact, calls_of("a", [0.0] * 30, [1.0] * 30)).status == "fail"


def test_a_sum_of_shares_is_a_number_of_cases() -> None:
    found = finding(
        f"metric: {DONE}, aggregate: sum, min: 9", calls_of("a", [1.0] * 12, [1.0] * 12)
    )
    assert found.reason == "sum of task_completed is 12, allowed is at least 9"
    assert found.unit == "count"


def test_a_rate_without_a_denominator_has_no_verdict() -> None:
    rule = "metric: word_error_rate, aggregate: rate, max_increase: 2 points"
    nothing: list[Value] = [(0.0, 0.0), (0.0, 0.0)]
    found = finding(rule, [call("a", "word_error_rate", nothing, cohort={})])
    assert (found.status, found.reason) == ("no_verdict", "the rate's denominator is 0")
    some: list[Value] = [(1.0, 10.0), (0.0, 10.0)]
    before = finding(rule, [call("a", "word_error_rate", some, nothing, {})])
    assert (before.status, before.reason) == ("no_verdict", "the rate's denominator is 0")


def refused(rule: str, *cohorts: dict[str, str], turns: int = 3) -> str:
    steps = [Step("One.", "Two.")] * turns
    truth = [labels("One.", cohort=cohort) for cohort in cohorts]
    made = gate(rule)
    try:
        refuse_slices(made, truth)
        refuse_percentiles(
            made,
            [(f"call-{n}", session_of(play(steps, V1), one)) for n, one in enumerate(truth)],
        )
    except GateFileError as error:
        return str(error)
    return ""


def test_what_recordings_cannot_answer_is_refused_with_what_it_needs() -> None:
    latency = "metric: response_latency, aggregate"
    scots, irish = {"accent": "scottish"}, {"accent": "irish"}
    assert refused(f"{latency}: p99, max: 1 s", *[scots] * 8) == (
        "gate.yaml: the rule `r0`: a p99 needs 100 samples out of 20 calls, and the 8 recordings "
        "give 24\n"
        "  Of fewer it is the largest of one call: record more calls, or use max or mean."
    )
    assert refused(f"{latency}: p90, max: 1 s", *[scots] * 8) == ""
    long = refused(f"{latency}: p99, max: 1 s", *[scots] * 8, turns=20)
    assert "a p99 needs 100 samples out of 20 calls, and the 8 recordings give 160" in long
    assert refused(f"{latency}: p99, max: 1 s", *[scots] * 20, turns=6) == ""
    told = "a p90 needs 10 samples out of 2 calls, and the 2 recordings with accent irish give 6"
    for rule in ("by: accent", "where: {accent: irish}"):
        assert told in refused(f"{latency}: p90, max: 1 s, {rule}", *[scots] * 4, irish, irish)
    gap = f"{latency}: p90, max_gap_between: accent, max_gap: 1 s"
    assert told in refused(gap, *[scots] * 4, irish, irish)
    assert refused(gap, *[scots] * 4, *[irish] * 4) == ""
    # A metric that compares cannot be counted before a replay; the verdict counts it.
    assert refused("metric: diverged_turns, aggregate: p99, max: 0%", scots) == ""
    # Nor can what is not known of a call.
    assert refused("metric: task_completed, aggregate: p99, min: 100%", scots, {}) != ""
    assert refused(f"{latency}: p90, max: 1 s, where: {{accent: irish}}", irish, {}) == ""


def test_cohorts_that_no_recording_has_are_refused() -> None:
    latency = "metric: response_latency, aggregate: max, max: 1 s"
    scots, irish = {"accent": "scottish"}, {"accent": "irish"}
    assert refused(f"{latency}, where: {{accent: welsh}}", scots, irish) == (
        "gate.yaml: the rule `r0`: no recording has accent `welsh`\n  There are: irish, scottish."
    )
    street, quiet = scots | {"noise": "street"}, scots | {"noise": "quiet"}
    indoors = irish | {"noise": "quiet"}
    told = refused(f"{latency}, where: {{noise: street, accent: irish}}", street, quiet, indoors)
    assert told == (
        "gate.yaml: the rule `r0`: no recording has noise `street` and accent `irish`\n"
        "  There are: noise quiet and accent irish, noise quiet and accent scottish, noise street "
        "and accent scottish."
    )
    told = refused(f"{latency}, where: {{noise: street, accent: irish}}", street, irish, indoors)
    assert told.endswith("1 of the recordings may be of it: write it in their labels.yaml.")
    # A level without a call of the slice is no level of it.
    assert refused(f"{latency}, by: accent, where: {{noise: street}}", street, indoors) == ""
    assert refused(f"{latency}, by: accent, where: {{accent: irish}}", street, indoors) == ""
    told = refused(f"{latency}, by: accent, where: {{noise: street}}", street, irish)
    assert "no recording has noise `street` and accent `irish`" in told
    gap = (
        "metric: response_latency, aggregate: mean, max_gap_between: noise, max_gap: 1 s, "
        "about: these_calls"
    )
    for within in ("by: accent", "where: {accent: irish}"):
        assert "every recording with accent `irish` has noise `quiet`, and a gap needs two" in (
            refused(f"{gap}, {within}", street, quiet, indoors)
        )
        assert "every recording with accent `irish` has no noise, and a gap needs two" in (
            refused(f"{gap}, {within}", street, quiet, irish)
        )
        both = (indoors, irish | {"noise": "street"})
        assert refused(f"{gap}, {within}", street, quiet, *both) == ""
    assert refused(f"{latency}, by: acent", scots).endswith("Did you mean `accent`?")
    assert refused(f"{latency}, by: noise", scots).endswith("They say: accent.")
    assert refused(f"{latency}, by: noise", {}).endswith("Write it in their labels.yaml.")
