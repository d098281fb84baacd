"""The demo's gate on its builds: the good change passes, each planted fault is named once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lkgate.gate.evaluate import evaluate
from lkgate.gate.load import load
from lkgate.model.verdict import Finding, Verdict
from tests.gate.calls import CALLS, V3, replayed, truth
from tests.measure.builders import V1, V2, Agent, result

FILE = load(Path(__file__).parents[2] / "gates" / "demo.yaml")
GATE = replace(FILE, calls=tuple(CALLS))


def judged(candidate: Agent) -> Verdict:
    return evaluate(GATE, replayed(candidate), recordings=list(CALLS))


def failed(verdict: Verdict) -> dict[str, Finding]:
    return {found.rule.id: found for found in verdict.with_status("fail")}


def test_the_gate_names_this_repositorys_recordings() -> None:
    recordings = Path(__file__).parents[2] / "recordings"
    assert FILE.calls == tuple(sorted(path.name for path in recordings.iterdir() if path.is_dir()))


def test_the_same_build_passes() -> None:
    verdict = judged(V1)
    assert {found.rule.id: found.reason for found in verdict.with_status("no_verdict")} == {}
    assert verdict.status == "pass"


def test_other_words_and_quicker_endpointing_pass() -> None:
    verdict = judged(V2)
    assert [(f.rule.id, f.reason) for f in verdict.findings if f.status != "pass"] == []
    assert verdict.status == "pass"
    kinds = {
        d.kind for call in verdict.calls if call.difference for d in call.difference.differences
    }
    assert kinds == {"agent_text", "latency"}
    assert all(call.difference and not call.difference.first_divergence for call in verdict.calls)


def test_three_faults_are_named_by_one_rule_each() -> None:
    verdict = judged(V3)
    assert verdict.status == "fail"
    named = failed(verdict)
    assert list(named) == ["barge-ins-ignored", "tool-arguments", "response-latency"]
    assert verdict.with_status("no_verdict") == ()
    for found in verdict.with_status("follows"):
        assert set(found.follows) <= set(named)
    assert {(e.call, e.turn) for e in named["barge-ins-ignored"].evidence} == {
        ("barge-in-twice", 3),
        ("barge-in-twice", 7),
        ("barge-in-book", 3),
        ("barge-in-book", 7),
    }
    wrong = {(e.call, e.turn): e.note for e in named["tool-arguments"].evidence}
    assert wrong[("booking-anna", 6)] == 'book_appointment $.time: "14:30" became "02:30"'
    assert {call for call, _ in wrong} == {
        "booking-anna",
        "booking-noisy",
        "barge-in-book",
        "long",
        "mind-changed",
    }
    assert "600 ms above the baseline's 1.23 s" in named["response-latency"].reason


def test_each_fault_alone_is_named_alone() -> None:
    alone = {
        "barge-ins-ignored": Agent(interruptible=False),
        "tool-arguments": Agent(arguments={"book_appointment": {"time": "02:30"}}),
        "response-latency": Agent(end_of_turn=1.3),
    }
    for rule, build in alone.items():
        verdict = judged(build)
        assert list(failed(verdict)) == [rule]
        assert verdict.with_status("no_verdict") == ()


def test_barge_ins_that_are_never_answered_hide_no_other_fault() -> None:
    """LiveKit drops what is said into speech that may not be interrupted: the call goes astray."""
    deaf = replace(V3, silent_at=frozenset({1}))
    calls = [
        result(name, steps, deaf if name.startswith("barge") else V3, truth=truth(steps))
        for name, steps in CALLS.items()
    ]
    verdict = evaluate(GATE, calls, recordings=list(CALLS))
    assert list(failed(verdict)) == ["barge-ins-ignored", "tool-arguments", "response-latency"]
    assert [(f.rule.id, f.reason) for f in verdict.with_status("no_verdict")] == []
    lost = {
        call.call: call.difference.first_divergence.layer
        for call in verdict.calls
        if call.difference and call.difference.first_divergence
    }
    assert lost["barge-in-twice"] == "turn_taking"
    assert lost["booking-anna"] == "llm"


def test_other_faults_are_named_too() -> None:
    builds = {
        "barge-in-yield": Agent(yields_after=1.1),
        "tool-selection": Agent(skips_tools=True),
        "unanswered": Agent(silent_at=frozenset({1})),
    }
    for rule, build in builds.items():
        verdict = judged(build)
        assert verdict.status == "fail"
        assert rule in failed(verdict), [(f.rule.id, f.status, f.reason) for f in verdict.findings]


def test_last_words_that_are_no_longer_answered_fail() -> None:
    steps = CALLS["triage"]
    silent = Agent(silent_at=frozenset({len(steps) - 1}))
    calls = [
        result(name, said, silent if name == "triage" else V1, truth=truth(said))
        for name, said in CALLS.items()
    ]
    rules = tuple(rule for rule in GATE.rules if rule.id in ("response-latency", "divergence"))
    verdict = evaluate(replace(GATE, rules=rules), calls, recordings=list(CALLS))
    assert list(failed(verdict)) == ["divergence"]
