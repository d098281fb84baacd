"""Markdown for a job's summary and a comment: the verdict, why, and where to listen.

Everything that a call, a model or a gate could have written is inert in it: no markup, no link, no
mention of a person, no command of the runner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from lkgate.model.verdict import Evidence, Finding, LiveRoom, Problem, Verdict
from lkgate.report import words
from lkgate.report.causes import NAMES, Cause, Folded, Lack, Silent, fold
from lkgate.report.inert import clipped, visible
from lkgate.report.notes import Note, live_note, notes

# A comment may have 65,536 characters, a summary a megabyte.
LIMIT = 60_000
_ICON = {"pass": "✅", "fail": "❌", "no_verdict": "⚠️"}
_WORD = {"pass": "PASS", "fail": "FAIL", "no_verdict": "NO VERDICT"}
_PLACES = 8
_RULES = 40
_TEXT = 300
# A command may name many calls, and half of one is none.
_STEP = 2_000
# An underscore within a word is only that.
_MARKUP = re.compile(r"[\\`*{}\[\]#!|~<>&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# GitHub finds people, issues, commits and addresses in what is read, after character references:
# only a character between keeps them apart, and this one is not seen.
_LINK = re.compile(
    r"[@#]|:(?=//)|\bwww(?=\.)|\bgh(?:sa)?-(?=\w)"
    r"|(?<![a-z0-9])(?=[0-9]*[a-f])[0-9a-f]{7,}(?![a-z0-9])",
    re.IGNORECASE,
)
_BREAK = "\u200b"


def marker(about: Sequence[str]) -> str:
    """The comment's first line, by which the next run finds it to write it over.

    Args:
        about: what tells this report from others of the same pull request: build, gate files,
            directory, as far as they are known when nothing could be judged either.
    """
    names = (quote(one, safe=", /", errors="replace").replace("-", "%2D") for one in about)
    return f"<!-- lkgate: {'; '.join(names)} -->"


def render(
    verdicts: Sequence[Verdict],
    *,
    build: str,
    about: Sequence[str] = (),
    limit: int = LIMIT,
    live: LiveRoom | None = None,
) -> str:
    """The text, ending in a newline, of at most ``limit`` characters.

    Args:
        about: see :func:`marker`; the build alone if it is empty.
        live: the rooms, if the calls took place in real ones.
        limit: what is beyond it is left out from the end, and that is said.
    """
    lines = [marker(about or [build])]
    for verdict in verdicts:
        lines += _verdict(verdict, build, live)
    if live is not None:
        lines += _note(live_note(live))
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


def _verdict(verdict: Verdict, build: str, live: LiveRoom | None) -> Iterator[str]:
    rules = words.count(len(verdict.findings), "rule")
    yield f"### {_ICON[verdict.status]} {_WORD[verdict.status]}: {_text(build)}"
    yield ""
    told = f"{_text(verdict.gate.name)}, {rules}, {words.calls(verdict, live)}"
    yield f"{told}, gate {_code(verdict.gate.path)}"
    folded = fold(verdict)
    alone = {one.finding.rule.label: one for one in folded.alone}
    broken = [
        found for found in verdict.findings if found.status == "fail" or found.rule.label in alone
    ]
    if broken:
        yield from ("", "| | rule | observed | baseline | why |", "| --- | --- | --- | --- | --- |")
        yield from (_row(verdict, found, alone.get(found.rule.label)) for found in broken)
    for found in broken:
        yield from _places(found, alone.get(found.rule.label))
    yield from _causes(folded)
    yield from _divergences(verdict)
    for note in sorted(notes(verdict), key=lambda one: one.about == "sureness"):
        yield from _note(note)
    yield from _held(verdict)


def _row(verdict: Verdict, found: Finding, silent: Silent | None) -> str:
    unit = found.unit
    icon = _ICON[found.status] if verdict.decides(found) else "⚠️"
    cells = (
        icon,
        f"**{_text(found.rule.label)}**",
        f"{found.rule.metric} {found.rule.aggregate} {words.value(found.observed, unit)}"
        if found.observed is not None
        else f"{found.rule.metric} {found.rule.aggregate}",
        words.value(found.baseline, unit) if found.baseline is not None else "",
        _text(found.rule.message or (silent or found).reason),
    )
    return f"| {' | '.join(cells)} |"


def _places(found: Finding, silent: Silent | None) -> Iterator[str]:
    told = [_place(place, found) for place in found.evidence[:_PLACES]]
    more = len(found.evidence) - len(told)
    head = f"**{_text(found.rule.label)}**: {_text((silent or found).reason)}"
    if silent is not None:
        told = [_told(lack) for lack in silent.lacks[:_PLACES]]
        more = len(silent.lacks) - len(told)
        if len(silent.lacks) == 1:
            (lack,), told = silent.lacks, []
            head += _aside(lack.next_step)
    yield from ("", head)
    if found.blame is not None:
        yield from ("", _text(words.layer(found.blame)))
    if told:
        yield from ("", *(f"- {line}" for line in told))
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


def _causes(folded: Folded) -> Iterator[str]:
    """What calls lack, once for all rules that it silences."""
    for cause in folded.shared:
        count = words.count(len(cause.findings), "rule")
        yield from ("", f"**{count} have no verdict**: {_names(cause.labels, _RULES)}", "")
        yield _cause(cause)
    if folded.lost:
        yield from ("", "**Calls without a replay**", "")
        yield from map(_cause, folded.lost)
    if folded.bereft:
        labels = list(dict.fromkeys(label for one in folded.lost for label in one.labels))
        have = "rule has" if folded.bereft == 1 else "rules have"
        told = f"{folded.bereft} {have} no verdict without them"
        yield from ("", f"{told}: {_names(labels, _RULES)}")


def _cause(cause: Cause) -> str:
    return f"- {_told(cause)}"


def _told(one: Cause | Lack) -> str:
    calls = f"{_names(one.calls, NAMES)}: " if one.calls else ""
    return f"{calls}{_text(one.reason)}{_aside(one.next_step)}"


def _names(names: Sequence[str], most: int) -> str:
    return words.names([_text(name) for name in names], most)


def _note(note: Note) -> Iterator[str]:
    yield from ("", f"{_text(note.text)}.{_aside(note.then)}")


def _aside(text: str | None) -> str:
    return f" _{_text(text, _STEP)}_" if text else ""


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
        unit = found.unit
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


def _plain(text: str, most: int = _TEXT) -> str:
    """One line of a length that can be read, without control characters."""
    return clipped(visible(text[: most + 1]).strip(), most)


def _text(text: str, most: int = _TEXT) -> str:
    """As running text: no markup, and no link, mention or reference that GitHub would make."""
    inert = _MARKUP.sub(lambda found: f"&#{ord(found[0])};", _LINK.sub(_broken, _plain(text, most)))
    return inert.replace(_BREAK, f"&#{ord(_BREAK)};")


def _broken(found: re.Match[str]) -> str:
    """Of a commit's name fewer digits in a row than name one."""
    parts = re.findall(".{1,6}", found[0])
    return _BREAK.join(parts) if len(parts) > 1 else found[0] + _BREAK


def _code(text: str) -> str:
    return f"`{_plain(text).replace('`', chr(39))}`"


def unjudged(
    problems: Sequence[Problem], *, build: str, what: str, about: Sequence[str] = ()
) -> str:
    """The report of a run that came to no verdict at all.

    Args:
        problems: why.
        what: one line that says it in short.
        about: see :func:`render`.
    """
    lines = [marker(about or [build]), f"### {_ICON['no_verdict']} NO VERDICT: {_text(build)}"]
    lines += ["", _text(what), ""]
    for problem in problems:
        lines.append(f"- {_text(problem.reason)}{_aside(problem.next_step)}")
    return _within(lines, LIMIT)
