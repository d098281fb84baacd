"""Markdown for a job's summary and a comment: the verdict, why, and where to listen.

Everything that a call, a model or a gate could have written is inert in it: no markup, no link, no
mention of a person, no command of the runner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from lkgate.model.verdict import Evidence, Finding, LiveRoom, Verdict
from lkgate.report import words
from lkgate.report.inert import clipped, visible
from lkgate.report.notes import live_note

# A comment may have 65,536 characters, a summary a megabyte.
LIMIT = 60_000
_ICON = {"pass": "✅", "fail": "❌", "no_verdict": "⚠️"}
_WORD = {"pass": "PASS", "fail": "FAIL", "no_verdict": "NO VERDICT"}
_PLACES = 8
_TEXT = 300
# An underscore within a word is only that.
_MARKUP = re.compile(r"[\\`*{}\[\]#!|~<>&@$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def marker(gates: Sequence[str]) -> str:
    """The comment's first line, by which the next run finds it to write it over."""
    names = quote(", ".join(gates), safe=", ", errors="replace").replace("-", "%2D")
    return f"<!-- lkgate: {names} -->"


def render(
    verdicts: Sequence[Verdict],
    *,
    build: str,
    limit: int = LIMIT,
    live: LiveRoom | None = None,
) -> str:
    """The text, ending in a newline, of at most ``limit`` characters.

    Args:
        live: the rooms, if the calls took place in real ones.
        limit: what is beyond it is left out from the end, and that is said.
    """
    lines = [marker([verdict.gate.name for verdict in verdicts])]
    for verdict in verdicts:
        lines += _verdict(verdict, build)
    if live is not None:
        lines += ["", *(_text(line.plain) for line in live_note(live) if line.plain)]
    return _within(lines, limit)


def _within(lines: list[str], limit: int) -> str:
    cut = "\n_The report is longer than fits here: see the job's log._\n"
    text = "\n".join(lines) + "\n"
    if len(text) <= limit:
        return text
    kept: list[str] = []
    left = limit - len(cut) - len("</details>\n\n")
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            break
        kept.append(line)
    opened = sum(line.startswith("<details>") for line in kept)
    closed = sum(line == "</details>" for line in kept)
    return "\n".join([*kept, *(["", "</details>"] if opened > closed else [])]) + "\n" + cut


def _verdict(verdict: Verdict, build: str) -> Iterator[str]:
    calls = words.count(len(verdict.calls), "call")
    rules = words.count(len(verdict.findings), "rule")
    yield f"### {_ICON[verdict.status]} {_WORD[verdict.status]}: {_text(build)}"
    yield ""
    yield f"{_text(verdict.gate.name)}, {rules}, {calls}, gate {_code(verdict.gate.path)}"
    failed = [found for found in verdict.findings if found.status in ("fail", "no_verdict")]
    if failed:
        yield from ("", "| | rule | observed | baseline | why |", "| --- | --- | --- | --- | --- |")
        yield from (_row(verdict, found) for found in failed)
    for found in failed:
        yield from _places(found)
    yield from _missing(verdict)
    yield from _divergences(verdict)
    yield from _held(verdict)


def _row(verdict: Verdict, found: Finding) -> str:
    unit = found.spec.unit
    icon = _ICON[found.status] if verdict.decides(found) else "⚠️"
    cells = (
        icon,
        f"**{_text(found.rule.label)}**",
        f"{found.rule.metric} {found.rule.aggregate} {words.value(found.observed, unit)}"
        if found.observed is not None
        else f"{found.rule.metric} {found.rule.aggregate}",
        words.value(found.baseline, unit) if found.baseline is not None else "",
        _text(found.rule.message or found.reason),
    )
    return f"| {' | '.join(cells)} |"


def _places(found: Finding) -> Iterator[str]:
    told = [_place(place, found) for place in found.evidence[:_PLACES]]
    if found.status == "no_verdict":
        told = [
            f"{_text(problem.call) + ': ' if problem.call else ''}{_text(problem.reason)}"
            + (f" _{_text(problem.next_step)}_" if problem.next_step else "")
            for problem in found.problems[:_PLACES]
        ]
        more = len(found.problems) - len(told)
    else:
        more = len(found.evidence) - len(told)
    if not told:
        return
    yield from ("", f"**{_text(found.rule.label)}**: {_text(found.reason)}", "")
    if found.blame is not None:
        yield from (_text(words.layer(found.blame)), "")
    yield from (f"- {line}" for line in told)
    if more > 0:
        yield f"- and {more} more"


def _place(place: Evidence, found: Finding) -> str:
    turn = "call" if place.turn is None else f"turn {place.turn}"
    text = f"{_text(place.call)}, {turn}, listen at {_code(words.span(place.span))}"
    if place.value is not None and not (found.spec.unit == "count" and place.note):
        text += f": {words.value(place.value, found.spec.unit)}"
        if place.baseline_value is not None:
            text += f", was {words.value(place.baseline_value, found.spec.unit)}"
    return f"{text}: {_text(place.note)}" if place.note else text


def _missing(verdict: Verdict) -> Iterator[str]:
    broken = [call for call in verdict.calls if call.failure is not None]
    if not broken and not verdict.missing:
        return
    yield from ("", "**Calls without a replay**", "")
    for call in broken:
        assert call.failure is not None
        yield f"- {_text(call.call)}: {_text(call.failure.message)}"
    for problem in verdict.missing:
        yield f"- {_text(str(problem.call))}: {_text(problem.reason)}"


def _divergences(verdict: Verdict) -> Iterator[str]:
    found = [
        (call.call, call.difference.first_divergence)
        for call in verdict.calls
        if call.difference is not None and call.difference.first_divergence is not None
    ]
    if not found:
        return
    yield from ("", "**Where conversations first diverge**", "")
    for call, first in found:
        at = words.clock(first.difference.t_us)
        yield f"- {_text(call)} at {_code(at)}, layer {first.layer}: {_text(first.reason)}"


def _held(verdict: Verdict) -> Iterator[str]:
    rest = verdict.with_status("pass", "follows")
    if not rest:
        return
    held = len(verdict.with_status("pass"))
    yield from ("", f"<details><summary>{words.count(held, 'rule')} held</summary>", "")
    for found in rest:
        unit = found.spec.unit
        if found.status == "follows":
            yield f"- {_text(found.rule.label)}: explained by {_text(', '.join(found.follows))}"
            continue
        line = f"- {_text(found.rule.label)}: {found.rule.aggregate}"
        line += f" {words.value(found.observed, unit)}"
        if found.baseline is not None:
            line += f", was {words.value(found.baseline, unit)}"
        line += "".join(words.sure(check, unit) for check in found.checks)
        line += f" (n {found.n}" + (f", {found.estimated} estimated" if found.estimated else "")
        line += f", {found.derived} derived" if found.derived else ""
        yield line + (f", {found.lost} not compared)" if found.lost else ")")
    yield from ("", "</details>")


def _plain(text: str) -> str:
    """One line of a length that can be read, without control characters."""
    return clipped(visible(text[: _TEXT + 1]).strip(), _TEXT)


def _text(text: str) -> str:
    """As running text: what could be markup, a mention or a link is a character reference."""
    inert = _MARKUP.sub(lambda found: f"&#{ord(found[0])};", _plain(text))
    return inert.replace("://", ":&#47;/").replace("www.", "www&#46;")


def _code(text: str) -> str:
    return f"`{_plain(text).replace('`', chr(39))}`"
