"""Which layer: what changed first in each call, the calls' votes, and where it is not clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from lkgate.gate.blame import blame
from lkgate.gate.evaluate import evaluate, judge
from lkgate.gate.examine import Examined, examine
from lkgate.gate.metrics import metric_versions
from lkgate.gate.sign import signs
from lkgate.model.blame import Blame, FaultLayer
from lkgate.model.label import Labels
from lkgate.model.verdict import Finding, JudgedCall, Verdict
from tests.gate.calls import BOOK, CALLS, replayed, truth
from tests.gate.suites import gate
from tests.gate.test_demo import failed, judged
from tests.measure.builders import V1, Agent, Step, labels, result

RULES = gate(
    "metric: tool_selection_changes, aggregate: sum, max: 0",
    "metric: word_error_rate, aggregate: rate, max: 1%",
    "metric: handoff_changes, aggregate: sum, max: 0",
    "metric: llm_input_tokens, aggregate: sum, max: 0",
    "metric: call_duration, aggregate: sum, max: 0 s",
    "metric: response_latency, aggregate: mean, max_increase: 40 ms, about: these_calls",
)
ASKED = Step("A table for two.", "For two, at what time?")
DONE = Step("At eight.", "It is booked.", tools=((BOOK, {"time": "20:00"}, "ok"),))
SAID = (ASKED, DONE)


def call(
    now: tuple[Step, ...],
    was: tuple[Step, ...] = SAID,
    name: str = "one",
    said: Labels | None = None,
) -> JudgedCall:
    """A call that went one way before and another way now."""
    said = said or labels(*(step.says for step in was), tools=[(BOOK, {"time": "20:00"})])
    before = result(name, was, V1, truth=said)
    after = result(name, now, V1, truth=said)
    return examine(replace(after, baseline=before.baseline)).call


def found(rule: int, *calls: JudgedCall) -> Finding:
    """What becomes of one rule."""
    examined = [Examined(one, metric_versions(), "") for one in calls]
    verdict: Verdict = judge(RULES, examined, recordings=[one.call for one in calls])
    return verdict.findings[rule]


def of(rule: int, *calls: JudgedCall) -> Blame:
    """The blame of a rule that failed."""
    finding = found(rule, *calls)
    assert finding.status == "fail", finding.reason
    assert finding.blame is not None
    return finding.blame


def test_a_rule_that_holds_blames_nobody() -> None:
    assert found(0, call(SAID)).blame is None
    assert signs(call(SAID)) == ()


@pytest.mark.parametrize(
    ("build", "rule", "layer"),
    [
        (Agent(end_of_turn=1.4), "response-latency", "turn_taking"),
        (Agent(llm=0.9), "response-latency", "llm"),
        (Agent(tts=0.9), "response-latency", "tts"),
        (Agent(interruptible=False), "barge-ins-ignored", "turn_taking"),
        (Agent(arguments={BOOK: {"time": "02:30"}}), "tool-arguments", "llm"),
        (Agent(skips_tools=True), "tool-selection", "llm"),
    ],
)
def test_a_layer_is_named(build: Agent, rule: str, layer: FaultLayer) -> None:
    finding = failed(judged(build))[rule]
    assert finding.blame is not None
    assert finding.blame.layer == layer
    assert finding.blame.calls == len({place.call for place in finding.evidence})


def test_what_was_heard_comes_before_what_was_done() -> None:
    deaf = (ASKED, replace(DONE, heard="At.", reply="At what time?", tools=()))
    told = of(0, call(deaf))
    assert (told.layer, told.reason) == (
        "stt",
        'what changed first in 1 of 1 call: heard "At.", was "At eight."',
    )
    assert of(1, call(deaf)).layer == "stt"


def test_a_renamed_tool_is_its_schemas_fault_and_another_tool_is_the_models() -> None:
    renamed = (ASKED, replace(DONE, tools=(("create_booking", {"time": "20:00"}, "ok"),)))
    assert of(0, call(renamed)).reason == (
        "what changed first in 1 of 1 call: "
        "book_appointment is called create_booking, with the same arguments"
    )
    assert of(0, call(renamed)).layer == "tool_schema"
    other = (ASKED, replace(DONE, tools=(("look_up", {"patient": "Ada"}, "ok"),)))
    assert of(0, call(other)).layer == "llm"


def test_another_handoff_is_the_handoffs() -> None:
    was = (ASKED, replace(DONE, tools=(), handoff="nurse"))
    now = (ASKED, replace(DONE, tools=(), handoff="billing"))
    said = labels(ASKED.says, DONE.says)
    assert of(2, call(now, was, said=said)).layer == "handoff"


def test_other_words_of_the_agent_are_no_reason() -> None:
    deaf = (
        replace(ASKED, reply="Two of you, and when?"),
        replace(DONE, heard="At.", reply="At what time?", tools=()),
    )
    assert of(0, call(deaf)).layer == "stt"


def test_what_nothing_came_before_is_the_metrics_own_layer() -> None:
    assert of(3, call(SAID)).layer == "llm"


def test_the_whole_call_has_no_layer_of_its_own() -> None:
    told = of(4, call(SAID))
    assert (told.layer, told.suspects) == (None, ())
    assert told.reason == "nothing that can be the reason changed before it"


def test_calls_that_disagree_are_not_clear() -> None:
    deaf = (ASKED, replace(DONE, heard="At.", reply="At what time?", tools=()))
    idle = (ASKED, replace(DONE, tools=()))
    told = of(0, call(deaf, name="a"), call(idle, name="b"))
    assert told.layer is None
    assert told.reason == "what changed first is speech recognition in 1, model in 1 of 2 calls"
    assert [(one.layer, one.calls) for one in told.suspects] == [("stt", ("a",)), ("llm", ("b",))]
    three = of(0, call(deaf, name="a"), call(idle, name="b"), call(deaf, name="c"))
    assert three.layer == "stt"
    assert [one.calls for one in three.suspects] == [("a", "c"), ("b",)]


@pytest.mark.parametrize(
    ("frozen", "layer"),
    [
        ({"llm": "pass", "stt": "fail"}, "llm"),
        ({"llm": "pass", "tts": "pass"}, None),
        ({"llm": "fail", "tts": "no_verdict"}, "stt"),
    ],
)
def test_a_frozen_layer_without_which_the_rule_holds_is_the_one(
    frozen: Mapping[FaultLayer, str], layer: FaultLayer | None
) -> None:
    deaf = call((ASKED, replace(DONE, heard="At.", reply="At what time?", tools=())))
    told = blame(found(0, deaf), [deaf], frozen=frozen)  # type: ignore[arg-type]
    assert told.layer == layer


def test_labels_that_nobody_reviewed_decide_nothing_where_reviewed_ones_are_demanded() -> None:
    rules = (
        "metric: word_error_rate, aggregate: rate, max: 100%",
        "metric: unanswered_turns, aggregate: sum, max: 9",
        "metric: unanswered_turns, aggregate: sum, max: 9, where: {language: en}",
    )
    calls = [
        replace(one, labels=replace(truth(CALLS[one.call]), reviewed=False)) for one in replayed(V1)
    ]
    names = [one.call for one in calls]
    free = evaluate(gate(*rules), calls, recordings=names)
    assert [one.status for one in free.findings] == ["pass", "pass", "pass"]
    strict = evaluate(gate(*rules, head="labels: reviewed\n"), calls, recordings=names)
    assert strict.status == "no_verdict"
    assert [one.status for one in strict.findings] == ["no_verdict", "pass", "no_verdict"]
    assert {(one.call, one.reason) for one in strict.findings[0].problems} == {
        (name, "nobody has reviewed its labels") for name in names
    }
    held = evaluate(gate(*rules, head="labels: reviewed\n"), replayed(V1), recordings=names)
    assert held.status == "pass"
