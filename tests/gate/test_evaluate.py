"""One rule at a time: limits, margins, slices, and every way in which evidence can be missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lkgate.gate.evaluate import evaluate
from lkgate.gate.load import parse
from lkgate.gate.metrics import SPECS, metric_versions
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event, Json
from lkgate.model.gate import Gate, Rule
from lkgate.model.verdict import CallFailure, CallResult, Finding, Problem, Verdict
from lkgate.report import junit, text
from lkgate.report.annotations import render as annotate
from tests.gate.calls import BOOK, CALLS, replayed, truth
from tests.measure.builders import V1, Agent, Step, labels, play, result

STEPS = [Step("One.", "Two."), Step("Three.", "Four."), Step("Five.", "Six.")]
LATER = Agent(end_of_turn=1.0)


def gate(*rules: str) -> Gate:
    lines = "".join(f"  - {{id: r{n}, {rule}}}\n" for n, rule in enumerate(rules))
    return parse("version: 1\nrules:\n" + lines, "gate.yaml")


def verdict(rules: Gate, *calls: CallResult) -> Verdict:
    return evaluate(rules, calls, recordings=[call.call for call in calls])


def finding(rule: str, *calls: CallResult) -> Finding:
    return verdict(gate(rule), *calls).findings[0]


LATENCY = "metric: response_latency, aggregate: max"


def test_absolute_limit() -> None:
    call = result("a", STEPS)
    found = finding(f"{LATENCY}, max: 1.2 s", call)
    assert (found.status, found.observed, found.n) == ("pass", 1_200_000, 3)
    assert found.reason == "max of response_latency is 1.20 s, allowed is at most 1.20 s"
    assert len(found.evidence) == 1
    found = finding(f"{LATENCY}, max: 1.1 s", call)
    assert found.status == "fail"
    assert [(e.call, e.turn) for e in found.evidence] == [("a", 1), ("a", 3), ("a", 5)]
    assert finding(f"{LATENCY}, min: 1.3 s", call).status == "fail"


def test_margin_and_its_sentence() -> None:
    call = result("a", STEPS, LATER)
    found = finding(f"{LATENCY}, max_increase: 250 ms", call)
    assert (found.status, found.observed, found.baseline) == ("fail", 1_500_000, 1_200_000)
    assert found.reason == (
        "max of response_latency is 1.50 s, 300 ms above the baseline's 1.20 s, allowed is 250 ms"
    )
    place = found.evidence[0]
    assert (place.value, place.baseline_value, place.baseline_turn) == (1_500_000, 1_200_000, 1)
    assert place.baseline_span is not None
    assert place.span.duration_us == 1_500_000
    assert finding(f"{LATENCY}, max_increase: 300 ms", call).status == "pass"
    assert finding(f"{LATENCY}, max_increase: 25%", call).status == "pass"
    assert finding(f"{LATENCY}, max_increase: 24%", call).status == "fail"


def test_of_both_parts_of_a_margin_both_must_be_exceeded() -> None:
    call = result("a", STEPS, LATER)
    for absolute, relative, status in (
        ("250 ms", "20%", "fail"),
        ("250 ms", "30%", "pass"),
        ("350 ms", "20%", "pass"),
    ):
        margin = f"max_increase: {{absolute: {absolute}, relative: {relative}}}"
        assert finding(f"{LATENCY}, {margin}", call).status == status


def test_decrease() -> None:
    call = result("a", STEPS, LATER)
    found = finding(f"{LATENCY}, max_decrease: 1 ms", result("a", STEPS, V1, baseline=LATER))
    assert found.status == "fail"
    assert "300 ms below the baseline's 1.50 s" in found.reason
    assert finding(f"{LATENCY}, max_decrease: 1 ms", call).status == "pass"


def test_percentile_of_all_calls_points_to_the_slow_turn() -> None:
    fast = [result(f"call-{n}", STEPS) for n in range(3)]
    found = finding(f"{LATENCY}, max: 1.4 s", *fast, result("slow", STEPS, LATER))
    assert (found.status, found.n, found.calls) == ("fail", 12, 4)
    assert {e.call for e in found.evidence} == {"slow"}
    assert finding("metric: response_latency, aggregate: p50, max: 1.4 s", *fast).status == "pass"


def test_relative_margin_of_nothing_is_no_verdict() -> None:
    broken = [replace(STEPS[0], tools=((BOOK, {}, "x"),)), *STEPS[1:]]
    call = result("a", broken, Agent(misses=((0, "llm"),)))
    found = finding("metric: model_misses, aggregate: sum, max_increase: 10%", call)
    assert found.status == "no_verdict"
    assert found.reason == "the baseline is 0, so a relative margin says nothing"
    assert finding("metric: model_misses, aggregate: sum, max_increase: 0", call).status == "fail"
    both = "metric: model_misses, aggregate: sum, max_increase: {absolute: 0, relative: 10%}"
    assert finding(both, call).status == "fail"


def test_a_baseline_without_a_case_has_a_total_of_none() -> None:
    calls = [Step("One.", "Two.", tools=((BOOK, {}, "x"),)), *STEPS[1:]]
    call = result("a", calls, baseline=Agent(skips_tools=True))
    assert call.baseline is not None
    found = finding("metric: tool_latency, aggregate: count, max_increase: 0", call)
    assert found.status == "no_verdict"
    errors = "metric: tool_errors, aggregate: sum"
    failing = replace(call, candidate=_failing(call))
    found = finding(f"{errors}, max_increase: 0", failing)
    assert (found.status, found.baseline, found.n) == ("fail", 0.0, 1)
    assert finding(f"{errors}, max_increase: 1", failing).status == "pass"
    assert finding("metric: tool_errors, aggregate: count, max_increase: 0", call).status == "fail"
    # A mean of nothing is none, and no case on either side is no evidence.
    assert finding("metric: tool_errors, aggregate: mean, max_increase: 0", failing).status == (
        "no_verdict"
    )
    none = result("a", calls, Agent(skips_tools=True), baseline=Agent(skips_tools=True))
    assert finding(f"{errors}, max_increase: 0", none).status == "no_verdict"


def _failing(call: CallResult) -> Bundle:
    """Every tool of the candidate fails."""
    assert isinstance(call.candidate, Bundle)

    def failed(event: Event) -> Event:
        calls = event.data.get("calls")
        if not isinstance(calls, list):
            return event
        made: list[Json] = [{**one, "is_error": True} for one in calls if isinstance(one, dict)]
        return replace(event, data={"calls": made})

    return replace(call.candidate, events=tuple(failed(one) for one in call.candidate.events))


def test_min_n() -> None:
    found = finding(f"{LATENCY}, max: 9 s, min_n: 4", result("a", STEPS))
    assert found.status == "no_verdict"
    assert found.reason == "3 of the 4 samples that it needs"
    assert found.problems[0].next_step == "Record more calls that show it, or lower min_n."


def test_slice() -> None:
    calls = [
        result("a", STEPS, V1, truth=labels("x", cohort={"accent": "scottish"})),
        result("b", STEPS, LATER, truth=labels("x", cohort={"accent": "irish"})),
    ]
    rule = f"{LATENCY}, max: 1.3 s, where: {{accent: %s}}"
    assert finding(rule % "scottish", *calls).status == "pass"
    assert finding(rule % "irish", *calls).status == "fail"
    found = finding(rule % "welsh", *calls)
    assert found.status == "no_verdict"
    assert found.reason == "0 of the 1 samples that it needs in the slice accent welsh"


def test_call_that_does_not_say_its_cohort_is_no_verdict() -> None:
    rule = f"{LATENCY}, max: 9 s, where: {{accent: irish}}"
    says = result("a", STEPS, truth=labels("x", cohort={"accent": "irish"}))
    found = finding(rule, says, result("b", STEPS, truth=labels("x")))
    assert (found.status, found.reason) == ("no_verdict", "b: its labels do not say its accent")
    found = finding(rule, says, result("b", STEPS))
    assert found.reason == "b: no labels say which cohort it belongs to"


def test_failed_and_missing_calls_are_no_verdict_for_every_rule() -> None:
    rules = gate(f"{LATENCY}, max: 9 s", "metric: call_completed, aggregate: mean, min: 100%")
    failure = CallFailure("hang", "the program hung at 12.0 s", "Run it with --debug.")
    found = verdict(rules, result("a", STEPS), result("b", STEPS, failure))
    assert found.status == "no_verdict"
    for one in found.findings:
        assert (one.status, one.reason) == ("no_verdict", "b: the program hung at 12.0 s")
        assert one.problems[0].next_step == "Run it with --debug."
    assert found.calls[1].failure == failure
    found = evaluate(rules, [result("a", STEPS)], recordings=["a", "b"])
    assert found.status == "no_verdict"
    assert [problem.call for problem in found.missing] == ["b"]
    assert found.findings[0].reason == "b: it was not replayed"
    assert evaluate(rules, [], recordings=[]).status == "no_verdict"


def test_a_named_call_without_a_recording_is_no_verdict() -> None:
    rules = replace(gate(f"{LATENCY}, max: 9 s"), calls=("a", "b", "c"))
    found = verdict(rules, result("a", STEPS), result("new", STEPS))
    assert found.status == "no_verdict"
    assert [(one.call, one.next_step) for one in found.missing] == [
        ("b", "Restore the recording `b`, or take it out of `calls:` in gate.yaml."),
        ("c", "Restore the recording `c`, or take it out of `calls:` in gate.yaml."),
    ]
    assert found.findings[0].reason == (
        "b, c: the gate names this call, and there is no recording of it"
    )
    assert found.unlisted == ("new",)
    whole = verdict(rules, *(result(name, STEPS) for name in ("a", "b", "c", "new")))
    assert (whole.status, whole.missing, whole.unlisted) == ("pass", (), ("new",))


def test_calls_that_are_left_out_hide_no_failure_and_give_no_pass() -> None:
    calls = [result("a", STEPS)]
    for limit, status, rule in (("9 s", "no_verdict", "pass"), ("1 s", "fail", "fail")):
        judged = replace(gate(f"{LATENCY}, max: {limit}"), calls=("a", "b"))
        found = evaluate(judged, calls, recordings=["a"], left_out=["b"])
        assert (found.status, found.findings[0].status) == (status, rule)
        assert (found.missing, found.left_out) == ((), ("b",))


def test_a_replay_that_is_no_evidence_hides_no_failure_and_gives_no_pass() -> None:
    """Whatever the rule is about: another cohort's as well."""
    known = replace(
        result("a", STEPS), labels=labels("One.", "Three.", "Five.", cohort={"phone": "landline"})
    )
    why = Problem("b", "not deterministic", "Run it.")
    for limit, status in (("9 s", "no_verdict"), ("1 s", "fail")):
        judged = replace(
            gate(f"{LATENCY}, max: {limit}, where: {{phone: landline}}"), calls=("a", "b")
        )
        found = evaluate(judged, [known], recordings=["a", "b"], unusable=[why])
        assert (found.status, found.findings[0].status) == (status, status)
        assert found.missing == (why,) == found.findings[0].problems


def test_a_call_without_a_replay_that_no_rule_is_about_gives_no_pass() -> None:
    """Whoever runs the gate is told that not every call was replayed: so is who reads of it."""
    cohorts = [labels("One.", "Three.", "Five.", cohort={"phone": one}) for one in ("a", "b")]
    here, lost = (replace(result(one, STEPS), labels=cohorts[n]) for n, one in enumerate("ab"))
    lost = replace(lost, candidate=CallFailure("crash", "it died", "Mend it."))
    rules = gate(f"{LATENCY}, max: 9 s, where: {{phone: a}}")
    found = verdict(rules, here, lost)
    assert (found.status, found.findings[0].status) == ("no_verdict", "pass")
    told = text.render(found, build="v9", digest=None, verbose=False).plain
    assert told.startswith("NO VERDICT  v9: 1 call without a replay, 2 calls\n")
    assert '<error message="it died">Mend it.</error>' in junit.render([found], build="v9")
    assert annotate([found], build="v9").startswith("::error ")
    assert junit.render([verdict(rules, here)], build="v9").count("<error") == 0


def test_fail_wins_over_no_verdict_and_both_are_told() -> None:
    rules = gate(f"{LATENCY}, max: 1 s", "metric: barge_in_yield, aggregate: max, max: 1 s")
    found = verdict(rules, result("a", STEPS))
    assert [one.status for one in found.findings] == ["fail", "no_verdict"]
    assert found.status == "fail"


def test_warnings_do_not_decide() -> None:
    rules = gate(f"{LATENCY}, max: 9 s", f"{LATENCY}, max: 1 s, severity: warning")
    found = verdict(rules, result("a", STEPS))
    assert [one.status for one in found.findings] == ["pass", "fail"]
    assert found.status == "pass"


def test_no_baseline() -> None:
    call = result("a", STEPS, baseline=None)
    found = finding(f"{LATENCY}, max_increase: 1 s", call)
    assert (found.status, found.reason) == ("no_verdict", "a: no baseline was accepted")
    assert found.problems[0].next_step == (
        "Replay the call, listen to it, then run `lkgate accept a --build BUILD`."
    )
    # Which turns are comparable is not known without one either; `all` does not ask.
    assert finding(f"{LATENCY}, max: 9 s", call).status == "no_verdict"
    assert finding(f"{LATENCY}, max: 9 s, turns: all", call).status == "pass"
    assert finding("metric: silence_gap, aggregate: max, max: 9 s", call).status == "pass"


def test_stale_baseline() -> None:
    rule = f"{LATENCY}, max_increase: 1 s"
    call = result("a", STEPS)
    assert call.baseline is not None
    old = replace(call.baseline, bundle=play(STEPS, V1, recording="before the edit"))
    assert finding(rule, replace(call, baseline=old)).reason == (
        "a: the baseline is stale: it was made from another state of the recording"
    )
    versions = {**metric_versions(), "response_latency": 0}
    assert finding(rule, result("a", STEPS, versions=versions)).reason == (
        "a: the baseline is stale: "
        "it was accepted under version 0 of response_latency, which is 1 now"
    )
    new = finding(rule, result("a", STEPS, versions={}))
    assert (new.status, new.reason) == (
        "no_verdict",
        "a: the baseline is stale: it was accepted without response_latency, which is new",
    )
    manifest = call.baseline.bundle.manifest
    tracks = tuple(replace(t, speech_method="energy-0") for t in manifest.tracks)
    other = replace(call.baseline.bundle, manifest=replace(manifest, tracks=tracks))
    found = finding(rule, replace(call, baseline=replace(call.baseline, bundle=other)))
    assert found.reason == "a: the baseline is stale: speech was found by energy-0, now by energy-1"


def test_more_turns_than_can_be_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lkgate.diff.align.MOST", 1)
    call = result("a", STEPS)
    found = finding(f"{LATENCY}, max_increase: 1 s", call)
    assert (found.status, found.reason) == (
        "no_verdict",
        "a: too many turns to be aligned: 4 exchanges against 4, at most 1 against 1",
    )
    assert finding("metric: divergence, aggregate: max, max: 0", call).status == "no_verdict"
    assert finding(f"{LATENCY}, max: 9 s, turns: all", call).status == "pass"


def test_baseline_of_another_cassette() -> None:
    rule = f"{LATENCY}, max_increase: 1 s"
    call = result("a", STEPS)
    for state in ("same", "grown", "unknown"):
        found = verdict(gate(rule), replace(call, cassette=state))
        assert (found.status, found.calls[0].cassette) == ("pass", state)
    found = verdict(gate(rule), replace(call, cassette="changed"))
    assert found.status == "no_verdict"
    assert found.findings[0].reason == (
        "a: the baseline is stale: exchanges of the cassette that answered it were changed"
    )
    alone = verdict(gate(f"{LATENCY}, max: 9 s, turns: all"), result("a", STEPS, baseline=None))
    assert alone.calls[0].cassette is None


def test_candidate_of_another_recording_is_no_candidate() -> None:
    call = replace(result("a", STEPS), candidate=play(STEPS, V1, recording="other"))
    found = finding(f"{LATENCY}, max: 9 s", call)
    assert found.reason == "a: the replay was made from another state of the recording"


def test_unanswered_turn_is_a_failure_to_answer_and_no_latency() -> None:
    silent = Agent(silent_at=frozenset({1}))
    call = result("a", STEPS, silent)
    rules = gate(
        "metric: unanswered_turns, aggregate: sum, max: 0",
        f"{LATENCY}, max: 9 s",
        f"{LATENCY}, max: 9 s, turns: all",
        "metric: divergence, aggregate: sum, max: 9",
    )
    found = verdict(rules, call)
    assert [one.status for one in found.findings] == ["fail", "pass", "no_verdict", "pass"]
    # The conversation diverges there, and that is judged; what is left is comparable.
    assert (found.findings[1].n, found.findings[1].lost) == (1, 2)
    assert found.findings[2].reason == "a: the agent did not answer (turn 3)"
    # Nobody judges the divergence: then it is a hole.
    assert finding(f"{LATENCY}, max: 9 s", call).status == "no_verdict"
    # That the accepted replay had the same hole does not fill it.
    same = result("a", STEPS, silent, baseline=silent)
    found = verdict(rules, same)
    assert found.findings[1].status == "no_verdict"
    assert found.findings[1].reason == "a: the agent did not answer (turn 3)"
    # Only for the change against it was nothing lost.
    margin = finding(f"{LATENCY}, max_increase: 100 ms", same)
    assert (margin.status, margin.n, margin.lost) == ("pass", 2, 0)
    both = finding(f"{LATENCY}, max: 9 s, max_increase: 100 ms", same)
    assert both.status == "no_verdict"


def test_turns_after_a_divergence_leave_the_latencies_only_if_that_is_judged() -> None:
    steps = [replace(STEPS[0], tools=((BOOK, {"day": "monday"}, "x"),)), *STEPS[1:]]
    build = Agent(arguments={BOOK: {"day": "friday"}})
    call = result("a", steps, build)
    rule = f"{LATENCY}, max: 9 s"
    found = finding(rule, call)
    assert (found.status, found.n, found.lost) == ("no_verdict", 1, 2)
    assert found.reason == (
        "a: 2 turns lie after a divergence, and no error rule judges divergence"
    )
    judged = gate(rule, "metric: divergence, aggregate: sum, max: 1")
    found = verdict(judged, call).findings[0]
    assert (found.status, found.n, found.lost) == ("pass", 1, 2)
    elsewhere = "metric: divergence, aggregate: sum, max: 1, where: {accent: irish}"
    assert verdict(gate(rule, elsewhere), call).findings[0].status == "no_verdict"
    warned = "metric: divergence, aggregate: sum, max: 1, severity: warning"
    assert verdict(gate(rule, warned), call).findings[0].status == "no_verdict"
    assert finding(f"{rule}, turns: all", call).n == 3


def test_total_above_its_limit_is_proven_though_a_call_is_missing() -> None:
    steps = [STEPS[0], Step("Stop.", "Yes?", into=1.0), STEPS[2]]
    rules = gate("metric: barge_ins_ignored, aggregate: sum, max: 0")
    calls = [result("a", steps, Agent(interruptible=False))]
    found = evaluate(rules, calls, recordings=["a", "b"]).findings[0]
    assert found.status == "fail"
    assert found.problems[0].call == "b"
    # An average is not.
    rules = gate("metric: barge_in_yield, aggregate: mean, max: 1 s")
    found = evaluate(rules, calls, recordings=["a", "b"]).findings[0]
    assert found.status == "no_verdict"


def test_consequence_needs_its_cause_earlier_in_the_same_call() -> None:
    rules = gate(
        "metric: barge_ins_ignored, aggregate: sum, max: 0",
        f"{LATENCY}, max: 1.3 s, covered_by: [r0]",
    )
    steps = [STEPS[0], Step("Stop.", "Yes?", into=1.0), STEPS[2]]
    cause = Agent(interruptible=False, end_of_turn=1.3)
    found = verdict(rules, result("a", [*steps[:1], steps[1], *steps[2:]], cause))
    # The first turn was slow before anything was ignored.
    assert [one.status for one in found.findings] == ["fail", "fail"]
    early = [replace(steps[1], into=1.0), *steps[2:]]
    found = verdict(rules, result("a", early, cause))
    assert [one.status for one in found.findings] == ["fail", "follows"]
    assert found.findings[1].follows == ("r0",)
    found = verdict(rules, result("a", early, cause), result("b", STEPS, cause))
    assert [one.status for one in found.findings] == ["fail", "fail"]
    assert found.status == "fail"


def test_estimates_are_marked_in_the_evidence() -> None:
    call = result("a", STEPS)
    assert isinstance(call.candidate, Bundle)
    event = replace(
        call.candidate.events[0],
        t_us=9_500_000,
        kind="lkgate.model_answer",
        data={"modality": "tts", "origin": "policy"},
    )
    marked = replace(call.candidate, events=(*call.candidate.events, event))
    found = finding("metric: agent_words, aggregate: max, max: 0", replace(call, candidate=marked))
    assert {e.estimated for e in found.evidence} == {(), ("tts",)}
    for rule, count in (
        ("metric: agent_words, aggregate: max, max: 99", 1),
        ("metric: talk_over_ratio, aggregate: max, max: 99%", 1),
        ("metric: diverged_turns, aggregate: sum, max: 0", 1),
        ("metric: word_error_rate, aggregate: rate, max: 100%", 0),
    ):
        passed = finding(rule, replace(call, candidate=marked, labels=truth(tuple(STEPS))))
        assert (passed.status, passed.estimated) == ("pass", count), rule
    assert call.baseline is not None
    before = replace(call, baseline=replace(call.baseline, bundle=marked))
    for rule, count in (
        ("metric: agent_words, aggregate: max, max: 99", 0),
        ("metric: agent_words, aggregate: max, max_increase: 1", 1),
        ("metric: agent_words, aggregate: sum, max_increase: 1", 1),
    ):
        assert (finding(rule, before).status, finding(rule, before).estimated) == ("pass", count)


def test_labels_of_the_recording_count_for_the_replay() -> None:
    call = replayed(V1)[0]
    found = finding("metric: task_completed, aggregate: mean, min: 100%", call)
    assert found.status == "pass"
    other = replace(call, labels=truth(CALLS["look-up"]))
    found = finding("metric: task_completed, aggregate: mean, min: 100%", other)
    assert found.status == "fail"
    assert found.evidence[0].note == (
        "look_up was not called; book_appointment was not to be called"
    )


def test_verdict_holds_what_a_report_shows() -> None:
    found = verdict(gate(f"{LATENCY}, max: 9 s"), result("a", STEPS, LATER))
    (call,) = found.calls
    assert [turn.text for turn in call.turns][:2] == ["Clinic, how can I help?", "One."]
    assert set(call.measurements) == set(SPECS)
    assert call.difference is not None
    assert len(call.baseline_turns) == len(call.turns)
    assert call.baseline_measurements["response_latency"].value == 1_200_000
    assert found.with_status("pass") == found.findings


def test_rule_on_an_unknown_metric_is_a_bug() -> None:
    bad = Gate("x", "x", (Rule("a", "nothing", "sum", max=0),))
    with pytest.raises(KeyError):
        evaluate(bad, [result("a", STEPS)], recordings=["a"])


def test_a_rule_says_how_much_of_it_rests_on_derived_answers() -> None:
    call = result("a", STEPS)
    assert isinstance(call.candidate, Bundle)
    first, *_ = call.candidate.events

    def told(**data: Json) -> Bundle:
        assert isinstance(call.candidate, Bundle)
        event = replace(first, t_us=9_500_000, kind="lkgate.model_answer", data=data)
        return replace(call.candidate, events=(*call.candidate.events, event))

    said = told(modality="llm", origin="derived")
    untimed = told(modality="llm", origin="derived", untimed=True)
    heard = told(modality="stt", origin="derived")
    for rule, candidate, counts in (
        ("metric: agent_words, aggregate: max, max: 99", said, (0, 1)),
        ("metric: agent_words, aggregate: max, max: 99", untimed, (1, 1)),
        # The caller's turn: what is waited for is the answer.
        (f"{LATENCY}, max: 99 s", untimed, (1, 1)),
        ("metric: word_error_rate, aggregate: rate, max: 100%", untimed, (0, 0)),
        ("metric: word_error_rate, aggregate: rate, max: 100%", heard, (0, 3)),
        ("metric: diverged_turns, aggregate: sum, max: 0", heard, (0, 1)),
    ):
        passed = finding(rule, replace(call, candidate=candidate, labels=truth(tuple(STEPS))))
        assert (passed.status, passed.estimated, passed.derived) == ("pass", *counts), rule
