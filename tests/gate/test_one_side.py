"""What one call or one side lacks is missed, as what all of them lack is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lkgate.gate.evaluate import evaluate
from lkgate.gate.load import parse
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event
from lkgate.model.verdict import CallResult, Finding
from tests.measure.builders import Agent, Step, labels, result

STEPS = [Step("One.", "Two."), Step("Three.", "Four."), Step("Five.", "Six.")]
SLOW = Agent(llm=3.0)
LATENCY = "metric: llm_ttft, aggregate: mean, max_increase: 40 ms"
DIVERGENCE = "metric: diverged_turns, aggregate: rate, max: 10%"


def judged(rule: str, calls: list[CallResult], divergence: str = DIVERGENCE) -> Finding:
    text = f"version: 1\nrules:\n  - {{id: it, {rule}}}\n  - {{id: other, {divergence}}}\n"
    return evaluate(parse(text, "g"), calls, recordings=[c.call for c in calls]).findings[0]


def without_metrics(bundle: Bundle) -> Bundle:
    def one(event: Event) -> Event:
        item = event.data.get("item")
        if not isinstance(item, dict) or item.get("type") != "message":
            return event
        return replace(event, data={**event.data, "item": {**item, "metrics": {}}})

    return replace(bundle, events=tuple(map(one, bundle.events)))


def unmeasured_before(call: CallResult) -> CallResult:
    assert call.baseline is not None
    return replace(
        call, baseline=replace(call.baseline, bundle=without_metrics(call.baseline.bundle))
    )


@pytest.mark.parametrize("stripped", [1, 19, 20])
def test_a_baseline_without_a_number_that_the_replay_has(stripped: int) -> None:
    calls = [result(f"c{n}", STEPS, SLOW if n < stripped else Agent()) for n in range(20)]
    calls[:stripped] = map(unmeasured_before, calls[:stripped])
    found = judged(LATENCY, calls)
    assert found.status == "no_verdict"
    assert {problem.call for problem in found.problems} == {f"c{n}" for n in range(stripped)}
    assert found.problems[0].reason.startswith("baseline: ")


def test_a_call_in_which_neither_side_has_one() -> None:
    blind = unmeasured_before(result("blind", STEPS, SLOW))
    assert isinstance(blind.candidate, Bundle)
    blind = replace(blind, candidate=without_metrics(blind.candidate))
    found = judged(LATENCY, [blind, result("other", STEPS)])
    assert (found.status, found.problems[0].call) == ("no_verdict", "blind")


def test_an_agent_that_never_makes_a_sound_answers_nobody() -> None:
    silent = Agent(silent_at=frozenset(range(9)), greeting="")
    calls = [result(f"c{n}", STEPS, Agent() if n else silent) for n in range(20)]
    found = judged("metric: unanswered_turns, aggregate: sum, max: 0", calls)
    assert (found.status, found.observed) == ("fail", len(STEPS))


@pytest.mark.parametrize(
    "harmless",
    [
        "metric: divergence, aggregate: sum, min: 0",
        "metric: divergence, aggregate: count, max: 1000",
    ],
)
def test_a_rule_that_cannot_fail_excuses_no_divergence(harmless: str) -> None:
    mute = Agent(end_of_turn=3.0, silent_at=frozenset({0}))
    calls = [result(f"c{n}", STEPS, Agent() if n else mute) for n in range(9)]
    found = judged(
        "metric: response_latency, aggregate: mean, max_increase: 40 ms", calls, harmless
    )
    assert found.status == "no_verdict"
    assert "no error rule judges divergence" in found.problems[0].reason


@pytest.mark.parametrize("metric", ["forbidden_phrases", "task_completed", "eval_failed"])
def test_words_that_nobody_wrote_down_are_not_clean_words(metric: str) -> None:
    limit = "min: 1" if metric == "task_completed" else "max: 0"
    rule = f"metric: {metric}, aggregate: sum, {limit}"
    truth = labels("One.", forbidden_phrases=["four"])
    call = result("call", STEPS, truth=truth)
    assert judged(rule, [call]).status == "fail"

    def untold(event: Event) -> bool:
        return event.kind == "conversation_item_added" and "Four" in str(event.data)

    assert isinstance(call.candidate, Bundle)
    events = tuple(event for event in call.candidate.events if not untold(event))
    assert len(events) < len(call.candidate.events)
    deaf = replace(call, candidate=replace(call.candidate, events=events))
    assert judged(rule, [deaf]).status == "no_verdict"


def test_due_tools_that_were_not_called_have_no_right_arguments() -> None:
    steps = [Step("One.", "Two.", tools=(("book", {"day": 1}, "done"),))]
    truth = labels("One.", tools=[("book", {"day": 1})])
    calls = [
        result("a", steps, truth=truth),
        result("b", steps, Agent(skips_tools=True), truth=truth),
    ]
    found = judged("metric: tool_argument_errors, aggregate: sum, max: 0", calls)
    assert (found.status, found.problems[0].call) == ("no_verdict", "b")
