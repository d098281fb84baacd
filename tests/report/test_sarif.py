"""SARIF is SARIF, and nothing that a call says becomes a link in it.

``sarif-2.1.0.json`` is the schema of the OASIS standard as the npm package
``@microsoft/jest-sarif`` 1.0.0-beta.0 (MIT) has it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lkgate.gate.evaluate import evaluate
from lkgate.model.verdict import Verdict
from lkgate.report.sarif import render
from tests.gate.calls import CALLS, V3, replayed
from tests.measure.builders import V2
from tests.report.hostile import TEXT, hostile
from tests.report.test_text import verdict_of

GATE = Path(__file__).parents[2] / "gates" / "demo.yaml"
SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text("utf-8"))


def sarif(*verdicts: Verdict, directory: str = "") -> Any:
    text = render(verdicts, build="v3", digest="0" * 64, directory=directory)
    log = json.loads(text)
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    return log


def test_the_schema_refuses_what_is_no_sarif() -> None:
    log = sarif(verdict_of(V3))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(SCHEMA).validate(log)


def test_a_red_report() -> None:
    (run,) = sarif(verdict_of(V3))["runs"]
    results = run["results"]
    assert {one["ruleId"]: one["level"] for one in results} == {
        "barge-ins-ignored": "error",
        "tool-arguments": "error",
        "response-latency": "error",
    }
    lines = [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in results]
    written = GATE.read_text("utf-8").splitlines()
    assert [written[line - 1] for line in lines] == [f"  - id: {one['ruleId']}" for one in results]
    for one in results:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        uri = one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri == "gates/demo.yaml"
    (first, *_) = results
    assert first["message"]["text"] == (
        "The agent speaks on when the caller interrupts it.\n"
        f"{verdict_of(V3).with_status('fail')[0].reason}"
    )
    assert first["relatedLocations"][0]["logicalLocations"][0]["name"].startswith("turn ")
    assert len({one["partialFingerprints"]["lkgateRule/v1"] for one in results}) == len(results)
    assert run["properties"]["verdict"] == "fail"


def test_a_green_report_has_no_result() -> None:
    (run,) = sarif(verdict_of(V2))["runs"]
    assert (run["results"], run["properties"]["verdict"]) == ([], "pass")
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_a_run_a_gate_below_the_root() -> None:
    runs = sarif(verdict_of(V3), verdict_of(V2), directory="a b")["runs"]
    assert len(runs) == 2
    place = runs[0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/gates/demo.yaml"


def test_a_missing_call_is_a_result() -> None:
    gate = replace(verdict_of(V2).gate, calls=(*CALLS, "nurse"))
    (run,) = sarif(evaluate(gate, replayed(V2), recordings=list(CALLS)))["runs"]
    assert run["results"][0]["ruleId"] == "lkgate-missing-call"
    assert run["results"][0]["message"]["text"].startswith("nurse: the gate names this call")
    assert run["invocations"] == [{"executionSuccessful": False}]


@pytest.mark.parametrize("said", [TEXT, "[a](b) {0} \\", "\udc80", "a" * 1_000_000])
def test_whatever_a_call_says_is_text(said: str) -> None:
    log = sarif(hostile(said))
    text = json.dumps(log)
    assert len(text) < 400_000
    for run in log["runs"]:
        for one in run["results"]:
            for message in (one, *one.get("relatedLocations", ())):
                told = message["message"]["text"].replace("\\\\", "").replace("\\[", "")
                assert "[" not in told and "\x1b" not in told
                assert "{0}" not in told.replace("{{", "").replace("}}", "")
