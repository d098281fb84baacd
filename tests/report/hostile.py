"""A verdict into which a call wrote what it liked."""

from __future__ import annotations

from dataclasses import replace

from lkgate.model.verdict import Verdict
from tests.gate.calls import V3
from tests.report.test_text import verdict_of

TEXT = (
    "<script>alert(1)</script> [x](https://evil.example) @everyone #1 **b** `c` | d\n"
    "::error::stolen\r\n::set-output name=x::y \x1b[2J\x07 ]]> &amp; \u202e --> $x$ "
    "www.evil.example"
)


def hostile(text: str) -> Verdict:
    """The red verdict with ``text`` wherever a recording, a model or a gate can put one."""
    verdict = verdict_of(V3)
    findings = tuple(
        replace(
            found,
            rule=replace(found.rule, message=text),
            reason=text,
            evidence=tuple(replace(place, call=text, note=text) for place in found.evidence),
        )
        for found in verdict.findings
    )
    calls = tuple(replace(call, call=text) for call in verdict.calls)
    gate = replace(verdict.gate, name=text, path=text)
    return replace(verdict, gate=gate, findings=findings, calls=calls)
