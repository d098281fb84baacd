"""How sure a verdict is, in every report: bounds, what is undecided, levels and gaps."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import jsonschema
import pytest

from lkgate.model.verdict import Verdict
from lkgate.report import json as json_report
from lkgate.report import junit, markdown
from lkgate.report.annotations import render as annotated
from lkgate.report.text import render
from tests.gate.suites import call, gate, verdict
from tests.gate.test_sampled import MEAN, ROUGH, suite

OPEN = f"{MEAN}, max_increase: 250 ms"
HOLDS = "metric: unanswered_turns, aggregate: sum, max: 0"


def judged(*rules: str, head: str = "", more: float = 240.0) -> Verdict:
    return verdict(gate(*rules, head=head), suite(*(more + one for one in ROUGH)))


def lines(found: Verdict) -> list[str]:
    return render(found, build="v2", digest="0" * 64).plain.splitlines()


def test_bounds_stand_behind_what_they_decide() -> None:
    failed = lines(judged(OPEN, more=300.0))
    assert failed[2] == (
        "x r0  response_latency mean = 1.39 s, baseline 1.08 s; +308 ms (+28 %), allowed +250 ms, "
        "95 % sure at least +287 ms  (n 48)"
    )
    assert failed[-6] == (
        "1 limit is about calls to come, of which these are a sample; Holm's correction keeps one "
        "false failure among all of them as rare as in one (docs/statistics.md)"
    )
    held = lines(judged(OPEN, more=0.0))
    assert held[2] == "+ r0  mean 1.09 s, was 1.08 s, 95 % sure at most +29 ms  (n 48)"
    same = lines(judged(HOLDS))
    assert not any("calls to come" in line for line in same)


def test_a_fall_is_bounded_from_its_own_side() -> None:
    rule = f"{MEAN}, max_decrease: 100 ms"
    assert "; -292 ms (-27 %), allowed -100 ms, 95 % sure at most -271 ms" in "\n".join(
        lines(judged(rule, more=-300.0))
    )
    assert "95 % sure at least -13 ms" in "\n".join(lines(judged(rule, more=0.0)))


def test_what_is_undecided_says_so_and_where_to_listen() -> None:
    found = judged(OPEN, HOLDS)
    told = lines(found)
    assert told[0] == "NO VERDICT  v2: 1 of 2 rules could not be judged, 12 calls"
    assert told[2] == "? r0  response_latency mean: undecided"
    assert told[3].startswith("    mean of response_latency is 1.33 s, 248 ms above")
    assert told[3].endswith("neither broken nor kept for sure")
    assert "calls like these 12 calls would decide it." in told[4]
    assert told[5].startswith("    call-2, turn 1, listen at ")
    root = ElementTree.fromstring(junit.render([found], build="v2"))
    assert (root.get("errors"), root.get("skipped"), root.get("failures")) == ("1", "12", "0")
    assert "::error file=gate.yaml,line=3,title=lkgate%3A r0 is undecided (v2)" in annotated(
        [found], build="v2"
    )
    assert "| ⚠️ | **r0** |" in markdown.render([found], build="v2")


@pytest.mark.parametrize(
    ("undecided", "headline", "level"),
    [
        (
            "fail",
            "FAIL  v2: 0 of 2 rules failed, 1 without a verdict, which fails this gate, 12 calls",
            "::error ",
        ),
        ("pass_with_warning", "PASS  v2: 1 rule holds, 1 warning, 12 calls", "::warning "),
    ],
)
def test_what_a_gate_makes_of_it(undecided: str, headline: str, level: str) -> None:
    found = judged(OPEN, HOLDS, head=f"undecided: {undecided}\n")
    told = lines(found)
    assert told[0] == headline
    assert "? r0  response_latency mean: undecided" in told
    assert annotated([found], build="v2").startswith(level)
    errors = ElementTree.fromstring(junit.render([found], build="v2")).get("errors")
    assert errors == ("1" if undecided == "fail" else "0")


def test_levels_and_gaps_are_named() -> None:
    done = "metric: task_completed, aggregate: mean"
    calls = [
        call(f"{accent}-{n}", "task_completed", [float(n < good)], [1.0], {"accent": accent})
        for accent, good in (("irish", 30), ("welsh", 10))
        for n in range(30)
    ]
    rules = gate(
        f"{done}, min: 90%, by: accent", f"{done}, max_gap_between: accent, max_gap: 10 points"
    )
    found = verdict(rules, calls)
    told = lines(found)
    assert told[0] == "FAIL  v2: 2 of 3 rules failed, 60 calls"
    assert told[2] == (
        "x r0 [accent welsh]  task_completed mean = 33.3 %; allowed at least 90.0 %  (n 30)"
    )
    gap = next(line for line in told if line.startswith("x r1"))
    assert gap == (
        "x r1  task_completed mean = 66.7 %; accent irish 100.0 %, accent welsh 33.3 %; 66.7 "
        "points apart, allowed 10.0 points, 95 % sure at least 49.5 points  (n 60)"
    )
    assert any(line.startswith("+ r0 [accent irish]  mean 100.0 %") for line in told)
    report = json.loads(json_report.render(found, build="v2", digest="0" * 64))
    jsonschema.validate(report, json_report.schema())
    assert [one["slice"] for one in report["findings"]] == [
        {"accent": "irish"},
        {"accent": "welsh"},
        {},
    ]
    (check,) = report["findings"][2]["checks"]
    assert check["outcome"] == "broken"
    assert check["uncertainty"]["calls"] == [30, 30]
    assert check["note"] == "accent irish 100.0 %, accent welsh 33.3 %"
    assert report["gate"]["family"] == "holm"


def test_json_of_what_is_undecided() -> None:
    report = json.loads(json_report.render(judged(OPEN), build="v2", digest="0" * 64))
    jsonschema.validate(report, json_report.schema())
    (found,) = report["findings"]
    assert (found["status"], found["undecided"]) == ("no_verdict", True)
    (check,) = found["checks"]
    assert (check["ok"], check["outcome"]) == (False, "open")
    sure = check["uncertainty"]
    assert sure["low"] < check["observed"] < sure["high"]
    assert sure["needed"] > 12
