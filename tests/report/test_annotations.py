"""Annotations to the letter; nothing in them ends a command or begins one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate.gate.evaluate import evaluate
from lkgate.report.annotations import render
from tests.gate.calls import CALLS, V3, replayed
from tests.measure.builders import V2
from tests.report.hostile import TEXT, hostile
from tests.report.test_text import verdict_of

RED = (Path(__file__).parent / "red.annotations").read_text("utf-8")


def test_a_red_report() -> None:
    assert render([verdict_of(V3)], build="v3") == RED


def test_a_green_report_annotates_nothing() -> None:
    assert render([verdict_of(V2)], build="v2") == ""


def test_a_missing_call_is_told_once() -> None:
    gate = replace(verdict_of(V2).gate, calls=(*CALLS, "nurse"))
    lost = evaluate(gate, replayed(V2), recordings=list(CALLS))
    # Where the gate names it.
    (line,) = render([lost], build="v2").splitlines()
    assert line.split("%0A")[:2] == [
        "::error file=gates/demo.yaml,line=15,title=lkgate%3A no replay of nurse (v2)::nurse: the "
        "gate names this call, and there is no recording of it",
        "Restore the recording `nurse`, or take it out of `calls:` in gates/demo.yaml.",
    ]
    assert line.endswith(f"%0AWithout a verdict: {', '.join(r.id for r in gate.rules)}")


@given(st.text(max_size=80))
@settings(max_examples=20)
def test_whatever_a_call_says_is_one_command_a_line(said: str) -> None:
    calm = render([hostile("calm")], build="calm")
    for text in (said, TEXT):
        lines = render([hostile(text)], build=text).split("\n")[:-1]
        assert len(lines) == calm.count("\n")
        for line in lines:
            assert re.fullmatch(
                r"::(error|warning) file=[^:,\r\n]*(,line=\d+)?,title=[^:,\r\n]*::[^\r\n]*", line
            )
            assert len(line) < 30_000


def test_ten_megabytes_are_a_short_command() -> None:
    long = "a" * 10_000_000
    assert all(len(line) < 30_000 for line in render([hostile(long)], build=long).splitlines())
