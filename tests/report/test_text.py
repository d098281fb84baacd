"""The terminal report, to the letter: it is what a tired engineer reads at a red check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from lkgate.model.gate import Verdict
from lkgate.report import json as json_report
from lkgate.report import words
from lkgate.report.text import render
from tests.gate.calls import V3
from tests.gate.test_demo import judged
from tests.measure.builders import V2

RED = (Path(__file__).parent / "red.txt").read_text("utf-8")


def verdict_of(build: object) -> Verdict:
    verdict = judged(build)  # type: ignore[arg-type]
    return replace(verdict, gate=replace(verdict.gate, path="gates/demo.yaml"))


def test_a_red_report() -> None:
    assert render(verdict_of(V3), build="v3", digest="0123456789abcdef0123").plain == RED


def test_a_green_report_begins_with_its_verdict() -> None:
    lines = render(verdict_of(V2), build="v2", digest="0" * 64).plain.splitlines()
    assert lines[0] == "PASS  v2: 16 rules hold, 8 calls"
    assert lines[2] == "+ call-completed       mean 100.0 %  (n 8)"
    assert lines[-1] == "replays 0000000000000000  gate gates/demo.yaml"


def test_a_rule_that_holds_says_what_it_rests_on_and_leaves_out() -> None:
    verdict = verdict_of(V2)
    first, *others = verdict.findings
    shaky = replace(verdict, findings=(replace(first, estimated=3, lost=2), *others))
    lines = render(shaky, build="v2", digest="0" * 64).plain.splitlines()
    assert lines[2] == "+ call-completed       mean 100.0 %  (n 8, 3 estimated, 2 not compared)"
    found = json.loads(json_report.render(shaky, build="v2", digest="0" * 64))["findings"][0]
    assert (found["status"], found["estimated"], found["lost"]) == ("pass", 3, 2)


def test_verbose_lists_every_place_and_every_difference() -> None:
    text = render(verdict_of(V2), build="v2", digest="0" * 64, verbose=True).plain
    assert "All differences" in text
    assert "(--verbose)" not in text


def test_json_is_what_its_schema_says() -> None:
    for build in (V2, V3):
        text = json_report.render(verdict_of(build), build="x", digest="0" * 64)
        report = json.loads(text)
        jsonschema.validate(report, json_report.schema())
        assert report["schema"] == json_report.SCHEMA_VERSION
    assert report["verdict"] == "fail"


@given(st.integers(min_value=0, max_value=10**12))
def test_clock_never_says_sixty_seconds(t_us: int) -> None:
    minutes, seconds = words.clock(t_us).split(":")
    assert 0 <= float(seconds) < 60
    assert abs(int(minutes) * 60 + float(seconds) - t_us / 1e6) <= 0.051


def test_values_in_words() -> None:
    assert words.value(250_000, "us") == "250 ms"
    assert words.value(999_600, "us") == "1.00 s"
    assert words.value(0.1234, "ratio") == "12.3 %"
    assert words.value(3, "count") == "3"
    assert words.value(12, "tokens") == "12 tokens"
    assert words.value(None, "us") == "-"
    assert words.change(-250_000, "us") == "-250 ms"
