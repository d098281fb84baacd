"""JUnit XML: a case for each call and rule, and nothing that a parser would choke on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate.gate.evaluate import evaluate
from lkgate.report.junit import render
from tests.gate.calls import CALLS, V3, replayed
from tests.measure.builders import V2
from tests.report.hostile import TEXT, hostile, moving
from tests.report.test_text import verdict_of

RED = (Path(__file__).parent / "red.xml").read_text("utf-8")


def cases(text: str) -> Counter[str]:
    """How many cases end how."""
    found = ElementTree.fromstring(text).iter("testcase")
    return Counter(next((inner.tag for inner in case), "passed") for case in found)


def test_a_red_report() -> None:
    assert render([verdict_of(V3)], build="v3") == RED


def test_a_case_for_each_call_and_rule() -> None:
    root = ElementTree.fromstring(render([verdict_of(V2)], build="v2"))
    names = [(suite.get("name"), len(suite)) for suite in root]
    assert names == [(f"clinic intake: {call}", 18) for call in CALLS]
    assert cases(render([verdict_of(V2)], build="v2")) == {"passed": 8 * 18}


def test_the_counts_are_those_of_the_cases() -> None:
    root = ElementTree.fromstring(RED)
    for node in (root, *root):
        tags = [inner.tag for case in node.iter("testcase") for inner in case]
        assert node.get("tests") == str(len(list(node.iter("testcase"))))
        assert node.get("failures") == str(tags.count("failure"))
        assert node.get("errors") == str(tags.count("error"))
        assert node.get("skipped") == str(tags.count("skipped"))


def test_a_call_that_is_missing_is_an_error_of_its_own_in_every_rule() -> None:
    gate = replace(verdict_of(V2).gate, calls=(*CALLS, "nurse"))
    lost = evaluate(gate, replayed(V2), recordings=list(CALLS))
    root = ElementTree.fromstring(render([lost], build="v2"))
    (suite,) = [suite for suite in root if suite.get("name") == "clinic intake: nurse"]
    assert (suite.get("errors"), suite.get("tests")) == ("17", "18")
    told = suite.find("testcase/error")
    assert told is not None
    assert told.get("message") == "the gate names this call, and there is no recording of it"
    # No other call's cases pass beside it.
    assert cases(render([lost], build="v2")) == {"skipped": 8 * 18, "error": 17, "system-out": 1}


def test_a_call_that_was_left_out_is_no_pass() -> None:
    some = [call for call in replayed(V2) if call.call != "long"]
    verdict = evaluate(
        verdict_of(V2).gate, some, recordings=[one.call for one in some], left_out=["long"]
    )
    assert cases(render([verdict], build="v2"))["error"] == 1


def test_too_few_samples_are_an_error_of_no_call() -> None:
    verdict = verdict_of(V2)
    rules = tuple(replace(rule, min_n=9_999) for rule in verdict.gate.rules[:1])
    few = evaluate(replace(verdict.gate, rules=rules), replayed(V2), recordings=list(CALLS))
    root = ElementTree.fromstring(render([few], build="v2"))
    assert root[-1].get("name") == "clinic intake: the calls together"
    assert root[-1].get("errors") == "1"


def test_a_warning_passes_and_is_told() -> None:
    verdict = verdict_of(V3)
    mild = replace(
        verdict,
        findings=tuple(
            replace(found, rule=replace(found.rule, severity="warning"))
            for found in verdict.findings
        ),
    )
    found = cases(render([mild], build="v3"))
    assert (found["failure"], found["error"]) == (0, 0)
    assert found["system-out"] > 0


@settings(max_examples=15)
@given(st.text(max_size=60))
def test_whatever_a_call_says_is_text(text: str) -> None:
    for said in (text, TEXT):
        made = render([hostile(said)], build=said)
        assert not moving(made)
        root = ElementTree.fromstring(made)
        tags = {node.tag for node in root.iter()}
        assert tags <= {
            "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out",
        }  # fmt: skip
