"""What silences several rules is told once, in every report, and nothing is lost by it."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from html import unescape

import pytest
from markupsafe import escape

from lkgate.gate.evaluate import evaluate
from lkgate.model.verdict import CallFailure, CallResult, SourceLine, Verdict
from lkgate.report import markdown, text
from lkgate.report.annotations import render as annotated
from lkgate.report.causes import fold
from lkgate.report.html import render
from tests.gate.calls import CALLS, replayed
from tests.gate.suites import gate
from tests.measure.builders import V2
from tests.report.hostile import TEXT
from tests.report.test_sarif import sarif
from tests.report.test_text import verdict_of

MISS = CallFailure("cassette_miss", "the cassette has no answer\nto `book`", "Record it again.")
GATE = verdict_of(V2).gate
LABELS = [rule.id for rule in GATE.rules]
ACCEPT = f"Replay the call, listen to it, then run `lkgate accept {' '.join(CALLS)} --build BUILD`."
IRISH = "where: {accent: irish}, severity: warning"


def judged(calls: list[CallResult]) -> Verdict:
    return evaluate(GATE, calls, recordings=list(CALLS))


@pytest.fixture(scope="module")
def broken() -> Verdict:
    """Two calls fail alike, one in another way."""
    first, second, third, *others = replayed(V2)
    late = CallFailure("late", "the machine stood still", None)
    return judged(
        [
            replace(first, candidate=MISS),
            replace(second, candidate=late),
            replace(third, candidate=MISS),
            *others,
        ]
    )


@pytest.fixture(scope="module")
def unaccepted() -> Verdict:
    """Nobody has accepted anything yet."""
    return judged(replayed(V2, baseline=None))


def test_calls_that_failed_alike_are_one_cause(broken: Verdict) -> None:
    folded = fold(broken)
    assert [one.calls for one in folded.lost] == [
        ("booking-anna", "barge-in-twice"),
        ("booking-noisy",),
    ]
    assert [one.labels for one in folded.lost] == [tuple(LABELS)] * 2
    assert (folded.bereft, folded.shared, folded.alone) == (18, (), ())
    assert all(one.decides for one in folded.lost)


def test_a_baseline_that_is_missing_is_one_cause(unaccepted: Verdict) -> None:
    folded = fold(unaccepted)
    (cause,) = folded.shared
    assert (cause.calls, cause.reason, cause.next_step) == (
        tuple(CALLS), "no baseline was accepted", ACCEPT,
    )  # fmt: skip
    assert len(cause.findings) > 10
    assert cause.decides
    # Every problem is told, and once.
    told: set[tuple[str | None, str]] = {
        (call, label) for call in cause.calls for label in cause.labels
    }
    told |= {(p.call, one.finding.rule.label) for one in folded.alone for p in one.problems}
    silent = unaccepted.with_status("no_verdict")
    assert told == {(p.call, found.rule.label) for found in silent for p in found.problems}


def test_what_calls_lack_for_one_rule_alone_is_told_once() -> None:
    one = gate(
        "metric: tool_argument_changes, aggregate: sum, max: 0",
        f"metric: talk_over_ratio, aggregate: max, max: 90%, {IRISH}",
    )
    calls = replayed(V2, baseline=None)
    first = replace(calls[0], call="it's me")
    verdict = evaluate(one, [first, *calls[1:]], recordings=[])
    names = ["it's me", *(one.call for one in calls[1:])]
    quoted = " ".join(map(shlex.quote, names))
    step = f"Replay the call, listen to it, then run `lkgate accept {quoted} --build BUILD`."
    told = f"{', '.join(names)}: no baseline was accepted"
    lines = text.render(verdict, build="v2", digest=None).plain.splitlines()
    assert lines[2:5] == [
        "? r0  tool_argument_changes sum: no verdict", f"    {told}", f"      {step}",
    ]  # fmt: skip
    line, *_ = annotated([verdict], build="v2").splitlines()
    assert line.split("::")[2] == f"{told}%0A{step}"
    made = unescape(markdown.render([verdict], build="v2"))
    assert made.count("lkgate accept") == 1
    assert f"**r0**: {told} _{step}_" in made
    (found, *_) = sarif(verdict)["runs"][0]["results"]
    assert found["message"]["text"] == f"{told}\n{step}"
    page = unescape(render(verdict, build="v2", digest=None, sources={}, beside="x-audio").text)
    assert page.count("lkgate accept") == 1
    assert f"<li>{told}<br><em>{step}</em></li>" in page


def test_takes_of_a_call_are_accepted_by_its_name() -> None:
    one = gate("metric: tool_argument_changes, aggregate: sum, max: 0")
    takes = [
        replace(call, call=f"{call.call}#{n}", take_of=call.call)
        for call in replayed(V2, baseline=None)[:2]
        for n in (1, 2)
    ]
    (alone,) = fold(evaluate(one, takes, recordings=[])).alone
    (lack,) = alone.lacks
    assert len(lack.calls) == 4
    assert "`lkgate accept booking-anna booking-noisy --build BUILD`" in (lack.next_step or "")


def test_a_command_for_many_calls_is_whole_in_markdown() -> None:
    one = gate("metric: tool_argument_changes, aggregate: sum, max: 0")
    first, *_ = replayed(V2, baseline=None)
    names = [f"a-call-with-a-name-{n}" for n in range(40)]
    verdict = evaluate(one, [replace(first, call=name) for name in names], recordings=[])
    made = unescape(markdown.render([verdict], build="v2"))
    assert f"`lkgate accept {' '.join(names)} --build BUILD`" in made
    assert "and 32 more: no baseline was accepted" in made


def test_the_first_line_counts_what_is_listed() -> None:
    rules = gate(
        "metric: tool_argument_changes, aggregate: sum, max: 0",
        "metric: tool_selection_changes, aggregate: sum, max: 0, severity: warning",
        "metric: time_to_first_audio, aggregate: max, max: 1 us, severity: warning",
    )
    silent = evaluate(rules, replayed(V2, baseline=None), recordings=[])
    lines = text.render(silent, build="v2", digest=None).plain.splitlines()
    assert lines[0] == "NO VERDICT  v2: 2 of 3 rules could not be judged, 1 warning, 8 calls"
    assert lines[2] == "? 2 rules have no verdict: r0, r1"
    late = gate(
        "metric: time_to_first_audio, aggregate: max, max: 1 us",
        "metric: tool_selection_changes, aggregate: sum, max: 0, severity: warning",
    )
    failed = evaluate(late, replayed(V2, baseline=None), recordings=[])
    assert text.render(failed, build="v2", digest=None).plain.startswith(
        "FAIL  v2: 1 of 2 rules failed, 1 without a verdict, 8 calls\n"
    )


def test_a_rule_keeps_what_it_alone_lacks() -> None:
    rules = gate(
        f"metric: response_latency, aggregate: p95, max: 9 s, {IRISH}",
        f"metric: talk_over_ratio, aggregate: max, max: 90%, {IRISH}",
        "metric: tool_errors, aggregate: sum, max: 0, where: {noise: low}",
    )
    first, *others = replayed(V2)
    calls = [replace(first, candidate=MISS), *others]
    folded = fold(evaluate(rules, calls, recordings=list(CALLS)))
    (lost,) = folded.lost
    assert lost.calls == ("booking-anna",)
    assert lost.labels == ("r0", "r1", "r2")
    (accent,) = folded.shared
    assert (accent.reason, accent.labels) == ("its labels do not say its accent", ("r0", "r1"))
    assert "booking-anna" not in accent.calls
    (alone,) = folded.alone
    assert alone.finding.rule.id == "r2"
    assert {one.reason for one in alone.problems} == {"its labels do not say its noise"}
    assert alone.reason.startswith("booking-noisy, barge-in-twice, ")


def test_only_warnings_that_are_silent_decide_nothing() -> None:
    rules = gate(
        "metric: tool_errors, aggregate: sum, max: 0",
        f"metric: talk_over_ratio, aggregate: max, max: 90%, {IRISH}",
        f"metric: barge_ins_ignored, aggregate: sum, max: 90, {IRISH}",
    )
    verdict = evaluate(rules, replayed(V2), recordings=list(CALLS))
    (cause,) = fold(verdict).shared
    assert (verdict.status, cause.decides) == ("pass", False)
    (line, note) = annotated([verdict], build="v2").splitlines()
    assert line.startswith(
        "::warning file=gate.yaml,line=4,title=lkgate%3A 2 rules have no verdict (v2)"
    )
    assert note.startswith("::warning ")


def test_an_annotation_a_cause(broken: Verdict, unaccepted: Verdict) -> None:
    told = [line.split("%0A") for line in annotated([broken], build="v2").splitlines()]
    assert told == [
        [
            "::error file=gates/demo.yaml,line=20,title=lkgate%3A no replay of booking-anna%2C "
            "barge-in-twice (v2)::booking-anna, barge-in-twice: the cassette has no answer",
            "to `book`",
            "Record it again.",
            f"Without a verdict: {', '.join(LABELS)}",
        ],
        [
            "::error file=gates/demo.yaml,line=20,title=lkgate%3A no replay of booking-noisy (v2)::"
            "booking-noisy: the machine stood still",
            f"Without a verdict: {', '.join(LABELS)}",
        ],
    ]
    first, *_ = annotated([unaccepted], build="v2").splitlines()
    assert (
        ",line=27,title=lkgate%3A 16 rules have no verdict (v2)::booking-anna, booking-noisy, "
        in first
    )
    assert first.count("no baseline was accepted") == 1
    assert f"%0A{ACCEPT}%0AWithout a verdict: barge-ins-ignored, " in first


def test_markdown_tells_a_cause_once_and_what_to_do(broken: Verdict, unaccepted: Verdict) -> None:
    made = markdown.render([broken], build="v2")
    assert made.splitlines()[3:10] == [
        "clinic intake, 18 rules, 8 calls, gate `gates/demo.yaml`",
        "",
        "**Calls without a replay**",
        "",
        "- booking-anna, barge-in-twice: the cassette has no answer to &#96;book&#96; "
        "_Record it again._",
        "- booking-noisy: the machine stood still",
        "",
    ]
    assert made.splitlines()[10] == f"18 rules have no verdict without them: {', '.join(LABELS)}"
    made = markdown.render([unaccepted], build="v2")
    assert made.count("no baseline was accepted") == 1
    assert made.count("lkgate accept") == 1


def test_sarif_has_a_result_a_cause(broken: Verdict, unaccepted: Verdict) -> None:
    lost = sarif(broken)["runs"][0]
    assert [one["ruleId"] for one in lost["results"]] == ["lkgate-missing-call"] * 2
    assert lost["results"][0]["message"]["text"] == (
        "booking-anna, barge-in-twice: the cassette has no answer\nto `book`\nRecord it again.\n"
        f"Without a verdict: {', '.join(LABELS)}"
    )
    assert lost["invocations"] == [{"executionSuccessful": False}]
    rules = [one["id"] for one in lost["tool"]["driver"]["rules"]]
    first, *others = sarif(unaccepted)["runs"][0]["results"]
    assert first["ruleId"] == rules[first["ruleIndex"]] == "lkgate-missing-evidence"
    assert not any("no baseline was accepted" in one["message"]["text"] for one in others)


def test_the_terminal_tells_a_cause_once(unaccepted: Verdict) -> None:
    lines = text.render(unaccepted, build="v2", digest="0" * 64).plain.splitlines()
    assert sum("no baseline was accepted" in line for line in lines) == 1
    assert lines[2].startswith("? 16 rules have no verdict: barge-ins-ignored, ")
    assert lines[3] == f"    {', '.join(CALLS)}: no baseline was accepted"
    assert lines[4] == f"      {ACCEPT}"


def test_calls_that_were_left_out_are_the_reason() -> None:
    some = [call for call in replayed(V2) if call.call != "long"]
    verdict = evaluate(GATE, some, recordings=[one.call for one in some], left_out=["long"])
    assert annotated([verdict], build="v2") == (
        "::error file=gates/demo.yaml,title=lkgate%3A not every call was judged (v2)::Left out, so "
        "this cannot be a pass: long%0ARun it without naming calls.\n"
    )
    lines = markdown.render([verdict], build="v2").splitlines()
    assert lines[3:6] == [
        "clinic intake, 18 rules, 7 of 8 calls, gate `gates/demo.yaml`",
        "",
        "Left out, so this cannot be a pass: long. _Run it without naming calls._",
    ]


def test_a_gate_that_names_no_calls_says_so() -> None:
    verdict = verdict_of(V2)
    nameless = replace(verdict, gate=replace(verdict.gate, calls=()))
    assert annotated([nameless], build="v2") == (
        "::warning file=gates/demo.yaml,title=lkgate%3A a call that is lost would not be missed "
        "(v2)::The gate names no calls: one that is lost would not be missed%0A"
        "List them under `calls:` in gates/demo.yaml.\n"
    )
    assert markdown.render([nameless], build="v2").splitlines()[5] == (
        "The gate names no calls: one that is lost would not be missed. "
        "_List them under &#96;calls:&#96; in gates/demo.yaml._"
    )


def test_a_gate_beside_the_working_directory() -> None:
    verdict = verdict_of(V2)
    beside = replace(verdict, gate=replace(verdict.gate, calls=(), path="../gates/demo.yaml"))
    (line,) = annotated([beside], build="v2", directory="svc/agent").splitlines()
    assert line.startswith("::warning file=svc/gates/demo.yaml,title=")


def test_a_call_points_to_the_programs_line_that_ended_it() -> None:
    first, *others = replayed(V2)
    raised = replace(MISS, source=SourceLine("../agent/main.py", 41))
    verdict = judged([replace(first, candidate=raised), *others])
    (line,) = annotated([verdict], build="v2", directory="ops/gate").splitlines()
    assert line.startswith("::error file=ops/agent/main.py,line=41,title=lkgate%3A no replay of ")
    (found,) = sarif(verdict, directory="ops/gate")["runs"][0]["results"]
    assert found["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "ops/agent/main.py"},
                "region": {"startLine": 41},
            }
        }
    ]
    # What is outside of the repository is in no pull request: the rule stands for it.
    for source in (SourceLine("../agent/main.py", 41), SourceLine("/opt/agent/main.py", 41)):
        verdict = judged([replace(first, candidate=replace(MISS, source=source)), *others])
        (line,) = annotated([verdict], build="v2").splitlines()
        assert line.startswith("::error file=gates/demo.yaml,line=20,title=lkgate%3A no replay of ")


def test_whatever_a_failure_says_is_inert() -> None:
    said = CallFailure(TEXT, TEXT, TEXT, SourceLine(TEXT, 7))
    first, second, *others = replayed(V2)
    verdict = judged(
        [
            replace(first, call=TEXT, candidate=said),
            replace(second, call=f"{TEXT} too", baseline=None),
            *others,
        ]
    )
    folded = fold(verdict)
    assert (len(folded.lost), len(folded.shared)) == (3, 1)
    for line in annotated([verdict], build=TEXT).split("\n")[:-1]:
        assert re.fullmatch(r"::(error|warning) file=[^:,]*(,line=\d+)?,title=[^:,]*::[^\r]*", line)
    made = markdown.render([verdict], build=TEXT)
    assert "<script" not in made and "](" not in made and "@everyone" not in made
    assert not re.search(r"^\s*::", made, re.MULTILINE)
    assert "\x1b" not in text.render(verdict, build=TEXT, digest=None).plain
    sarif(verdict)


def test_the_page_tells_a_cause_once(broken: Verdict, unaccepted: Verdict) -> None:
    for verdict in (broken, unaccepted):
        folded = fold(verdict)
        told = render(verdict, build="v2", digest=None, sources={}, beside="x-audio").text
        articles = re.findall(r'<article class="reason .*?</article>', told, flags=re.DOTALL)
        assert len(articles) == len(folded.lost) + len(folded.shared) + len(folded.alone)
        for cause in (*folded.lost, *folded.shared):
            (about,) = [one for one in articles if f"</span> {', '.join(cause.calls)}<" in one]
            assert f"Without a verdict because of it: {', '.join(cause.labels)}." in about
            assert cause.next_step is None or str(escape(cause.next_step)) in about
