"""``metric: python:FILE.py:NAME``: a metric for one gate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lkgate.errors import GateFileError
from lkgate.gate.evaluate import evaluate
from lkgate.gate.load import load
from lkgate.gate.metrics import metric_versions
from lkgate.model.bundle import Bundle
from lkgate.model.verdict import Finding
from tests.measure.builders import Step, result, without

OWN = '''\
"""A team's own checks."""

from __future__ import annotations

import dataclasses

from lkgate.measure import Metric, measured, spec


def polite(session):
    """Times that the agent thanks.

    More is told below.
    """
    return sum("thank" in (turn.text or "").lower() for turn in session.of("agent"))


def fails(session):
    return session.nothing


def wordy(session):
    return "many"


def leaves(session):
    raise SystemExit(0)


@dataclasses.dataclass
class Count:
    words: int


def shares(session):
    yield dataclasses.replace(measured(1, None, session.whole), amount=float("nan"))


def texts(session):
    yield "none"


def each(session):
    for turn in session.of("agent"):
        yield measured(len(turn.text or ""), turn, turn.span)


LETTERS = Metric(
    spec("letters", "count", "lower", "turn", "max", "llm", ("agent_transcript",), "Letters."), each
)
NAN = Metric(
    spec("nan", "ratio", "lower", "call", "rate", "llm", ("agent_transcript",), "None."), shares
)
TEXTS = Metric(
    spec("texts", "count", "lower", "call", "sum", "llm", ("agent_transcript",), "None."), texts
)
BROKEN = Metric(spec("letters", "count", "lower", "turn", "max", "llm", (), "Letters."), each)
NUMBER = 5
'''
STEPS = [Step("Hello.", "Hi."), Step("Bye.", "Thank you.")]


def gate(directory: Path, metric: str, limit: str = "min: 1") -> Path:
    (directory / "own.py").write_text(OWN)
    (directory / "exits.py").write_text("raise SystemExit(0)\n")
    path = directory / "gate.yaml"
    path.write_text(
        f"version: 1\nrules:\n- {{id: it, metric: '{metric}', aggregate: sum, {limit}}}\n"
    )
    return path


def judged(path: Path, *, silent: bool = False) -> Finding:
    call = result("a", STEPS)
    if silent:
        heard = ("conversation_item_added", "agent_state_changed", "session_usage_updated")
        assert isinstance(call.candidate, Bundle)
        call = replace(call, candidate=without(call.candidate, *heard))
    return evaluate(load(path), [call], recordings=["a"]).findings[0]


def test_function_of_a_session_gives_a_number_a_call(tmp_path: Path) -> None:
    found = judged(gate(tmp_path, "python:own.py:polite"))
    assert (found.status, found.observed, found.n) == ("pass", 1, 1)
    assert found.spec.doc == "Times that the agent thanks."
    assert judged(gate(tmp_path, "python:own.py:polite", "min: 2")).status == "fail"
    assert judged(gate(tmp_path, f"python:{tmp_path}/own.py:polite")).status == "pass"
    assert not any(name.startswith("python:") for name in metric_versions())


def test_metric_says_what_it_needs(tmp_path: Path) -> None:
    found = judged(gate(tmp_path, "python:own.py:LETTERS", "max: 99"))
    # "Clinic, how can I help?", "Hi." and "Thank you."
    assert (found.status, found.observed, found.n) == ("pass", 23 + 3 + 10, 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails", "it failed: AttributeError: 'Session' object has no attribute 'nothing'"),
        ("wordy", "it failed: TypeError: it gave 'many', which is no number"),
        ("leaves", "it failed: SystemExit: 0"),
        ("NAN", "the value is nan"),
        ("TEXTS", "it failed: TypeError: it gave 'none', which is no Sample"),
    ],
)
def test_one_that_fails_has_no_verdict(tmp_path: Path, name: str, said: str) -> None:
    found = judged(gate(tmp_path, f"python:own.py:{name}"))
    assert (found.status, found.problems[0].reason) == ("no_verdict", said)


def test_without_evidence_and_without_a_baseline_it_has_no_verdict(tmp_path: Path) -> None:
    assert judged(gate(tmp_path, "python:own.py:polite"), silent=True).status == "no_verdict"
    found = judged(gate(tmp_path, "python:own.py:polite", "max_increase: 1"))
    assert found.status == "no_verdict"
    assert "accepted without" in found.reason


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("python:own.py", "names no file and function\n  Write it as python:FILE.py:NAME"),
        ("python:none.py:polite", "none.py: there is no such file"),
        ("python:own.py:rude", "own.py: it holds no rude\n  It holds: annotations, dataclasses, "),
        ("python:own.py:NUMBER", "own.py: NUMBER is 5, no function of a session and no Metric"),
        ("python:own.py:BROKEN", "own.py:BROKEN: letters names no evidence"),
        ("python:exits.py:x", "exits.py: it fails when it is run: SystemExit: 0"),
        ("python:gate.yaml:x", "gate.yaml: it fails when it is run: SyntaxError"),
    ],
)
def test_what_is_wrong_is_told_at_load(tmp_path: Path, metric: str, said: str) -> None:
    with pytest.raises(GateFileError) as caught:
        load(gate(tmp_path, metric))
    assert f"{tmp_path}/gate.yaml:3:20: " in str(caught.value)
    assert said in str(caught.value)
