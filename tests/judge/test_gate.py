"""A rule on a judge: it advises, it decides if people agree with it, and silence is no pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lkgate.config import Config
from lkgate.config.settings import ReplaySettings, Tools
from lkgate.errors import ConfigError, GateFileError
from lkgate.gate.evaluate import evaluate
from lkgate.gate.load import parse
from lkgate.judge.conversation import conversation_of
from lkgate.judge.panel import Panel, judges_named
from lkgate.measure.judged import JUDGEMENT
from lkgate.model.bundle import Bundle
from lkgate.model.gate import Gate
from lkgate.model.judgement import Agreed, Trust
from lkgate.model.label import Labels
from lkgate.model.verdict import CallResult, Finding, Verdict
from tests.judge.asking import asked, entry
from tests.measure.builders import V1, Agent, Step, labels, play, result

STEPS = {
    "ann": [Step("I need an appointment.", "Of course, which day?")],
    "bob": [Step("Are you open today?", "We are.")],
}
RUDE = Agent(wording={"We are.": "Not my problem."})
COMPLETED = "- {id: completed, metric: call_completed, aggregate: mean, min: 100%}\n"
ADVICE = "- {id: kind, metric: 'judge:helpful', aggregate: mean, min: 90%}\n"
DECIDES = ADVICE.replace("90%}", "90%, severity: error, min_agreement: 80%}")
GOOD = Trust(Agreed(40, 40), Agreed(30, 30))


def gate(rule: str, trust: Trust | None = None) -> Gate:
    read = parse(f"version: 1\nrules:\n{COMPLETED}{rule}", "gate.yaml")
    return read if trust is None else replace(read, trust={"helpful": trust})


def panel(directory: Path) -> Panel:
    return Panel(
        Config(
            path=None,
            root=directory,
            recordings=directory,
            gates=(),
            builds={},
            tools=Tools(),
            replay=ReplaySettings(),
            judges={"helpful": entry()},
            judgements=directory,
        )
    )


def verdict(directory: Path, rules: Gate, build: Agent = V1, *, judged: int = 2) -> Verdict:
    """Of two calls into a build, of which the judge was asked about the first few."""
    played = {call: play(steps, build, recording=call) for call, steps in STEPS.items()}
    asked(
        entry(),
        directory,
        [(call, conversation_of(bundle)) for call, bundle in list(played.items())[:judged]],
    )
    here = panel(directory)
    calls: list[CallResult] = []
    for call, steps in STEPS.items():
        made = result(call, steps, build)
        assert isinstance(made.candidate, Bundle)
        calls.append(replace(made, candidate=here.heard(made.candidate, ["helpful"])))
    return evaluate(rules, calls, recordings=list(STEPS))


def test_it_advises(tmp_path: Path) -> None:
    found = verdict(tmp_path, gate(ADVICE), RUDE)
    assert found.status == "pass"
    advice = found.findings[1]
    assert (advice.rule.severity, advice.status, advice.observed) == ("warning", "fail", 0.5)
    assert advice.evidence[0].call == "bob"
    assert advice.evidence[0].note == "helpful says fail (1 fail): vote 2"


def test_it_decides_when_people_agree_with_it(tmp_path: Path) -> None:
    assert verdict(tmp_path, gate(DECIDES, GOOD)).status == "pass"
    assert verdict(tmp_path, gate(DECIDES, GOOD), RUDE).status == "fail"


@pytest.mark.parametrize("build", [V1, RUDE])
@pytest.mark.parametrize(
    ("trust", "says"),
    [
        (None, "the judge helpful was never calibrated"),
        (replace(GOOD, stale="it was changed"), "the calibration of helpful is stale: it was"),
        (Trust(Agreed(40, 40), Agreed(0, 0)), "calibrated on no call that people call bad"),
        (Trust(Agreed(0, 0), Agreed(9, 9)), "calibrated on no call that people call good"),
        (
            Trust(Agreed(40, 40), Agreed(5, 5)),
            "agrees with people in 40 of 40 good calls and 5 of 5 bad ones: 95 % sure is only "
            "64.9 %, the rule wants 80 %",
        ),
    ],
)
def test_it_decides_nothing_before_that(
    tmp_path: Path, trust: Trust | None, says: str, build: Agent
) -> None:
    found = verdict(tmp_path, gate(DECIDES, trust), build)
    assert found.status == "no_verdict"
    assert says in found.findings[1].reason


def test_a_total_above_its_limit_does_not_decide_either(tmp_path: Path) -> None:
    rule = DECIDES.replace("aggregate: mean, min: 90%", "aggregate: sum, max: 0")
    assert verdict(tmp_path, gate(rule, GOOD)).status == "fail"
    assert verdict(tmp_path, gate(rule)).status == "no_verdict"


@pytest.mark.parametrize("judged", [0, 1])
def test_a_call_that_was_not_judged_is_missing(tmp_path: Path, judged: int) -> None:
    found = verdict(tmp_path, gate(DECIDES, GOOD), judged=judged)
    assert found.status == "no_verdict"
    calls = "ann, bob: " if judged == 0 else "bob: "
    assert found.findings[1].reason == (
        f"{calls}the judge helpful: it was never asked about this conversation (`lkgate judge ask`)"
    )


def test_nor_where_the_answer_that_was_waited_for_never_came(tmp_path: Path) -> None:
    """A hole of the whole call is not the hole that a divergence explains."""
    rules = gate(DECIDES + "- {id: same, metric: divergence, aggregate: max, max: 1}\n", GOOD)
    found = verdict(tmp_path, rules, judged=1)
    assert found.findings[1].status == "no_verdict"


def test_without_anybody_to_ask_it_is_missing() -> None:
    calls = [result(call, steps) for call, steps in STEPS.items()]
    found = evaluate(gate(DECIDES, GOOD), calls, recordings=list(STEPS))
    assert found.status == "no_verdict"
    assert found.findings[1].reason == "ann, bob: the judge helpful was not asked"


def test_a_recording_cannot_bring_its_own_judgement(tmp_path: Path) -> None:
    bundle = play(STEPS["ann"])
    heard = panel(tmp_path).heard(panel(tmp_path).heard(bundle, ["helpful"]), ["helpful"])
    assert len(heard.of_kind(JUDGEMENT)) == 1


def test_a_judge_that_the_settings_lack(tmp_path: Path) -> None:
    rules = gate(ADVICE.replace("helpful", "helpfull"))
    with pytest.raises(ConfigError) as told:
        panel(tmp_path).trusting(rules)
    assert str(told.value) == (
        "there is no judge `helpfull`\n  Did you mean `helpful`? There are: helpful."
    )


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("severity: error", "a judge decides only if the rule says how well it must agree"),
        ("min_agreement: 50%", "`min_agreement: 50%` is not between 50% and 100%"),
        ("min_agreement: 100%", "`min_agreement: 100%` is not between 50% and 100%"),
        ("min_agreement: lots", "`min_agreement: lots` is not between 50% and 100%"),
        ("max_decrease: 5 points", "`max_decrease` compares with the baseline"),
    ],
)
def test_a_rule_that_is_none(more: str, says: str) -> None:
    with pytest.raises(GateFileError) as told:
        gate(ADVICE.replace("90%}", f"90%, {more}}}"))
    assert says in str(told.value)
    assert str(told.value).startswith("gate.yaml:4:")


def test_only_judges_have_an_agreement() -> None:
    with pytest.raises(GateFileError, match="`min_agreement` is for rules on a judge"):
        gate("- {id: x, metric: tool_calls, aggregate: sum, min: 1, min_agreement: 80%}\n")


FAILED = "- {id: failed, metric: eval_failed, aggregate: sum, max: 0}\n"
DEMANDED = ADVICE.replace("90%}", "90%, min_agreement: 80%}")
BOOKED = labels("Hello.", tools=[("book", {})])
NOTHING = labels("Hello.")


def evaluated(
    directory: Path, rules: Gate, build: Agent = V1, truth: Labels = NOTHING
) -> tuple[str, Finding]:
    """The verdict and the finding of ``eval_failed``: the gate's last rule."""
    asked(
        entry(),
        directory,
        [(call, conversation_of(play(steps, build))) for call, steps in STEPS.items()],
    )
    here = panel(directory)
    calls: list[CallResult] = []
    for call, steps in STEPS.items():
        made = result(call, steps, build, truth=truth)
        assert isinstance(made.candidate, Bundle)
        heard = here.heard(made.candidate, judges_named(rules))
        calls.append(replace(made, candidate=heard))
    found = evaluate(rules, calls, recordings=list(STEPS))
    return found.status, found.findings[-1]


NEVER = "the judge helpful was never calibrated (`lkgate judge calibrate helpful`)"


@pytest.mark.parametrize("build", [V1, RUDE])
@pytest.mark.parametrize(
    ("advice", "trust", "says"),
    [
        (ADVICE, None, NEVER),
        (ADVICE, replace(GOOD, stale="it was changed"), "is stale: it was changed (`lkgate judge"),
        (ADVICE, Trust(Agreed(40, 40), Agreed(0, 0)), "on no call that people call bad (`lkgate"),
        (ADVICE, Trust(Agreed(40, 40), Agreed(2, 4)), "sure is only 18.2 %, a coin has 50 % (`lk"),
        (DEMANDED, Trust(Agreed(40, 40), Agreed(5, 5)), "only 64.9 %, the rule wants 80 % (`lkga"),
    ],
)
def test_a_failed_evaluation_rests_on_trusted_judges(
    tmp_path: Path, advice: str, trust: Trust | None, says: str, build: Agent
) -> None:
    status, found = evaluated(tmp_path, gate(advice + FAILED, trust), build)
    assert (status, found.status) == ("no_verdict", "no_verdict")
    assert found.reason.startswith("ann, bob: ")
    assert says in found.reason


def test_a_trusted_judge_fails_an_evaluation(tmp_path: Path) -> None:
    enough = Trust(Agreed(40, 40), Agreed(5, 5))
    assert evaluated(tmp_path, gate(ADVICE + FAILED, enough))[0] == "pass"
    status, found = evaluated(tmp_path, gate(ADVICE + FAILED, enough), RUDE)
    assert (status, found.observed, found.evidence[0].call) == ("fail", 1.0, "bob")


def test_labels_fail_an_evaluation_whoever_is_trusted(tmp_path: Path) -> None:
    assert evaluated(tmp_path, gate(ADVICE + FAILED), truth=BOOKED)[0] == "fail"
    assert evaluated(tmp_path, gate(FAILED))[0] == "pass"


def test_an_evaluation_that_only_advises_hears_every_judge(tmp_path: Path) -> None:
    advises = FAILED.replace("max: 0}", "max: 0, severity: warning}")
    status, found = evaluated(tmp_path, gate(ADVICE + advises), RUDE)
    assert (status, found.status, found.observed) == ("pass", "fail", 1.0)


def test_a_judge_that_the_gate_does_not_know_fails_no_evaluation(tmp_path: Path) -> None:
    steps = STEPS["bob"]
    made = result("bob", steps, RUDE, truth=NOTHING)
    assert isinstance(made.candidate, Bundle)
    asked(entry(), tmp_path, [("bob", conversation_of(made.candidate))])
    brought = panel(tmp_path).heard(made.candidate, ["helpful"])
    found = evaluate(gate(FAILED), [replace(made, candidate=brought)], recordings=["bob"])
    assert found.findings[-1].reason == (
        "bob: it was failed by a judge that no rule of the gate is on"
    )
    assert panel(tmp_path).heard(brought, []).of_kind(JUDGEMENT) == ()
