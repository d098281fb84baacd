"""The terminal report, to the letter: it is what a tired engineer reads at a red check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from lkgate.gate.evaluate import evaluate
from lkgate.model.verdict import CassetteState, Verdict
from lkgate.report import json as json_report
from lkgate.report import words
from lkgate.report.text import render
from tests.gate.calls import CALLS, V3, replayed
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
    assert lines[0] == "PASS  v2: 18 rules hold, 8 calls"
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


def lines_of(verdict: Verdict) -> list[str]:
    return render(verdict, build="v2", digest="0" * 64).plain.splitlines()


def test_a_call_that_the_gate_names_and_nobody_recorded() -> None:
    verdict = verdict_of(V2)
    gate = replace(verdict.gate, calls=(*CALLS, "nurse"))
    lost = evaluate(gate, replayed(V2), recordings=list(CALLS))
    assert lines_of(lost) == [
        "NO VERDICT  v2: 18 of 18 rules could not be judged, 8 calls",
        "",
        "Calls without a replay: 18 rules have no verdict without them",
        "    nurse: the gate names this call, and there is no recording of it",
        "      Restore the recording `nurse`, or take it out of `calls:` in gates/demo.yaml.",
        "",
        "replays 0000000000000000  gate gates/demo.yaml",
    ]
    report = json.loads(json_report.render(lost, build="v2", digest="0" * 64))
    jsonschema.validate(report, json_report.schema())
    assert (report["verdict"], report["missing"]) == ("no_verdict", ["nurse"])


def test_some_of_the_calls_are_no_pass() -> None:
    gate = verdict_of(V2).gate
    some = [call for call in replayed(V2) if call.call != "long"]
    named = [call.call for call in some]
    lines = lines_of(evaluate(gate, some, recordings=named, left_out=["long"]))
    assert lines[0] == "NO VERDICT  v2: 18 rules hold, 7 of 8 calls"
    assert lines[-4:-1] == [
        "Left out, so this cannot be a pass: long",
        "  Run it without naming calls.",
        "",
    ]


def test_what_nobody_would_notice_is_noted() -> None:
    verdict = verdict_of(V2)
    states: list[CassetteState] = ["grown", "unknown", "none", *["same"] * 5]  # type: ignore[list-item]
    calls = tuple(
        replace(call, cassette=state) for call, state in zip(verdict.calls, states, strict=True)
    )
    noted = replace(verdict, calls=calls, gate=replace(verdict.gate, calls=tuple(CALLS)[:-1]))
    assert lines_of(noted)[-13:-1] == [
        "Judged, but not named by the gate: mind-changed",
        "  Add them to `calls:` in gates/demo.yaml, or their loss will not be noticed.",
        "",
        "The cassette has grown since the baseline was made: booking-anna",
        "  Replay into the build of the baselines (`lkgate list` names it), "
        "then run `lkgate accept booking-anna --build BUILD`.",
        "",
        "The baseline does not say which cassette answered it: booking-noisy",
        "  Replay with `--models cassette` into the build of the baselines (`lkgate list` names "
        "it), then run `lkgate accept booking-noisy --build BUILD`.",
        "",
        "The recording has no cassette that its baseline could be bound to: barge-in-twice",
        "  Run `lkgate derive barge-in-twice`, replay into the build of the baselines "
        "(`lkgate list` names it), then run `lkgate accept barge-in-twice --build BUILD`.",
        "",
    ]
    nameless = replace(verdict, gate=replace(verdict.gate, calls=()))
    assert lines_of(nameless)[-4:-1] == [
        "The gate names no calls: one that is lost would not be missed",
        "  List them under `calls:` in gates/demo.yaml.",
        "",
    ]
    report = json.loads(json_report.render(noted, build="v2", digest="0" * 64))
    jsonschema.validate(report, json_report.schema())
    assert report["unlisted"] == ["mind-changed"]
    assert [call["cassette"] for call in report["calls"]] == states


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
    before = words.clock(-t_us)
    assert before == (f"-{words.clock(t_us)}" if before != "0:00.0" else words.clock(t_us))


def test_values_in_words() -> None:
    assert words.value(250_000, "us") == "250 ms"
    assert words.value(999_600, "us") == "1.00 s"
    assert words.value(0.1234, "ratio") == "12.3 %"
    assert words.value(3, "count") == "3"
    assert words.value(12, "tokens") == "12 tokens"
    assert words.value(None, "us") == "-"
    assert words.change(-250_000, "us") == "-250 ms"


def test_names_of_many() -> None:
    assert words.names(["a"], 2) == "a"
    assert words.names(["a", "b", "c"], 2) == "a, b, c"
    assert words.names(["a", "b", "c", "d"], 2) == "a, b and 2 more"
