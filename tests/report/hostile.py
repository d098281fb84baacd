"""What a call can say and a model can write, and a verdict into which they wrote it everywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache, lru_cache
from typing import Any

from lkgate.model.bundle import Span
from lkgate.model.measurement import Measurement, MetricSpec
from lkgate.model.turn import ToolCall
from lkgate.model.verdict import CallFailure, Problem, Verdict
from tests.gate.calls import V3
from tests.report.test_text import verdict_of

TEXT = (
    "::stop-commands::first <script>alert(1)</script> [x](https://evil.example) ##[add-mask]e\n"
    "::error::stolen\r\n   ::set-output name=x::y \x1b[2J\x07 ]]> &amp; \u202e --> $x$\n"
    "\u200b:\u200d:add-mask::hidden #\u2060#[error]hidden\r\u3000::warning::wide ##vso[task.fail]\n"
    "@everyone #1 GH-12 o/r#12 GHSA-abcd 0123456789abcdef0123456789abcdef01234567 deadbeef1\n"
    "mail@evil.example mailto:a@evil.example xmpp:a@evil.example www.evil.example **b** `c` | d\n"
    "\x9b31m \x9d0;owned\x07 \u061c\u200e\u200f\u2066\ufeff\xad\U000e0041 {{ 7*7 }} \ud800"
)

# Names and numbers that lkgate itself gives.
_OWN = (Measurement, MetricSpec, Span)
_WRITTEN = {
    "call", "note", "message", "reason", "next_step", "text", "detail", "old", "new", "output",
    "text_absent", "tool", "old_agent", "new_agent",
}  # fmt: skip


@lru_cache(maxsize=2)
def hostile(text: str) -> Verdict:
    """The red verdict with ``text`` wherever a recording, a model or a gate can put one."""
    verdict: Verdict = written(_red(), text)
    lost = Problem(text, text, text)
    broken = CallFailure("exit", text, text)
    first = next(one for one in verdict.findings if one.status == "pass")
    silent, explained = (replace(first.rule, id=one, message=text) for one in ("mute", "led"))
    findings = (
        *(replace(one, rule=replace(one.rule, message=text)) for one in verdict.findings),
        replace(first, rule=silent, status="no_verdict", problems=(replace(lost, call=None), lost)),
        replace(first, rule=explained, status="follows", follows=(text,)),
    )
    gone = replace(verdict.calls[0], failure=broken, turns=(), measurements={}, difference=None)
    return replace(
        verdict,
        gate=replace(verdict.gate, name=text, path=text),
        findings=findings,
        calls=(*verdict.calls, gone),
        missing=(lost,),
        left_out=(text,),
    )


@cache
def _red() -> Verdict:
    return verdict_of(V3)


def written(value: Any, text: str) -> Any:
    """``value`` with ``text`` for each of its texts that lkgate did not make itself."""
    if isinstance(value, tuple):
        return tuple(written(one, text) for one in value)
    if isinstance(value, Mapping):
        return {name: written(one, text) for name, one in value.items()}
    if not is_dataclass(value) or isinstance(value, (type, *_OWN)):
        return value
    held = {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, ToolCall):
        return replace(value, name=text, arguments={text: text}, output=text)
    return replace(
        value,
        **{
            name: text if name in _WRITTEN and isinstance(one, str) else written(one, text)
            for name, one in held.items()
        },
    )


def commands(log: str) -> list[str]:
    """The lines of ``log`` that GitHub's runner or Azure's agent looks at for a command.

    As actions/runner's `ActionCommand` does: lines are cut at carriage returns too, white space
    before "::" is taken off, "##[" may be anywhere, and the comparison is a culture's, to which
    characters without a weight are nothing.
    """
    found = []
    weightless = {ord(one) for one in set(log) if _weightless(one) and not one.isspace()}
    for line in re.split("[\r\n]", log):
        weighed = line.translate(dict.fromkeys(weightless))
        if weighed.lstrip().startswith("::") or re.search(r"##[\w.]*\[", weighed):
            found.append(line)
    return found


def moving(text: str) -> set[str]:
    """The characters of ``text`` that steer a terminal, turn the reading direction or hide."""
    return {
        one
        for one in set(text)
        if one != "\n"
        and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and one not in "\u200c\u200d"
    }


def _weightless(one: str) -> bool:
    return unicodedata.category(one) in ("Cc", "Cf", "Cs") or one in "\ufe0f\ufffd\u034f"
