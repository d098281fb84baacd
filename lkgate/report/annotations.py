"""GitHub's workflow commands: an annotation for each rule that failed, and one for each reason why
rules have no verdict, however many those are.

What a call or a gate says can end no command and begin none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from lkgate.model.verdict import Finding, Problem, Verdict
from lkgate.report import words
from lkgate.report.causes import Cause, Silent, fold
from lkgate.report.inert import clipped, visible_lines
from lkgate.report.notes import About, notes
from lkgate.report.places import Place, of_cause, of_gate

# GitHub shows ten of a kind for a step; a line beyond some kilobytes is cut off.
_TEXT = 2_000
_PLACES = 4
_NAMES = 3
_CALLS = 20
# Notes that are for whoever looks at the check, whether it passed or not.
_NOTED: Mapping[About, str] = {
    "left_out": "not every call was judged",
    "gate": "a call that is lost would not be missed",
}
# An error's place in a file of the repository: gates/release.yaml:7:5
_PLACE = re.compile(r"([\w.][^:\n]*\.\w+)(?::(\d+))?(?::\d+)?: ")


def render(verdicts: Sequence[Verdict], *, build: str, directory: str = "") -> str:
    """A command a line, errors before warnings; empty if there is nothing to say.

    Args:
        directory: of the gates' paths, from the root of the repository.
    """
    lines = [line for verdict in verdicts for line in _lines(verdict, build, directory)]
    return "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[:8] != "::error "))


def _lines(verdict: Verdict, build: str, directory: str) -> Iterator[str]:
    for found in verdict.with_status("fail"):
        place = of_gate(verdict.gate, directory, found.rule.line)
        title = f"{found.rule.label} failed ({build})"
        yield _command(_level(verdict, found), place, title, _failed(found))
    folded = fold(verdict)
    for cause in (*folded.lost, *folded.shared):
        title = (
            f"no replay of {words.names(cause.calls, _NAMES)}"
            if cause.lost
            else f"{words.count(len(cause.findings), 'rule')} have no verdict"
        )
        place = of_cause(verdict, cause, directory)
        yield _command(_level(verdict, cause), place, f"{title} ({build})", _cause(cause))
    for one in folded.alone:
        what = "is undecided" if one.finding.undecided else "has no verdict"
        title = f"{one.finding.rule.label} {what} ({build})"
        place = of_gate(verdict.gate, directory, one.finding.rule.line)
        yield _command(_level(verdict, one.finding), place, title, _silent(one))
    for note in notes(verdict):
        if note.about in _NOTED:
            grave = note.about == "left_out" and verdict.status != "pass"
            place = of_gate(verdict.gate, directory)
            title, message = f"{_NOTED[note.about]} ({build})", f"{note.text}\n{note.then}"
            yield _command("error" if grave else "warning", place, title, message)


def _level(verdict: Verdict, found: Finding | Cause) -> str:
    decides = found.decides if isinstance(found, Cause) else verdict.decides(found)
    return "error" if decides else "warning"


def _failed(found: Finding) -> str:
    lines = [found.rule.message, found.reason]
    for one in found.evidence[:_PLACES]:
        turn = "call" if one.turn is None else f"turn {one.turn}"
        lines.append(f"{one.call}, {turn}, listen at {words.span(one.span)}")
    return "\n".join(line for line in lines if line)


def _silent(one: Silent) -> str:
    lines = [one.finding.rule.message]
    for lack in one.lacks[:_PLACES]:
        lines += [lack.told(_CALLS), lack.next_step]
    if not one.lacks:
        lines.append(one.reason)
    if len(one.lacks) > _PLACES:
        lines.append(f"and {len(one.lacks) - _PLACES} more")
    return "\n".join(line for line in lines if line)


def _cause(cause: Cause) -> str:
    # Rules last: there may be many, and what is too long loses its end.
    rules = f"Without a verdict: {', '.join(cause.labels)}" if cause.labels else None
    told = f"{words.names(cause.calls, _CALLS)}: {cause.reason}"
    return "\n".join(line for line in (told, cause.next_step, rules) if line)


def _command(level: str, place: Place | None, title: str, message: str) -> str:
    told = f"title={_property(f'lkgate: {title}')}"
    if place is not None:
        line = "" if place.line is None else f",line={place.line}"
        told = f"file={_property(place.path)}{line},{told}"
    return f"::{level} {told}::{_data(message)}"


def _data(text: str) -> str:
    short = visible_lines(clipped(text, _TEXT))
    return short.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def unjudged(problems: Sequence[Problem], *, build: str, directory: str = "") -> str:
    """The commands of a run that came to no verdict at all: an error for each problem.

    Args:
        directory: of the files that reasons begin with, from the root of the repository.
    """
    lines = []
    for one in problems:
        found = _PLACE.match(one.reason)
        place = None
        if found is not None:
            path = posixpath.normpath(posixpath.join(directory, found[1]))
            place = Place(path, int(found[2]) if found[2] else None)
        text = "\n".join(filter(None, (one.reason, one.next_step)))
        lines.append(f"{_command('error', place, f'no verdict ({build})', text)}\n")
    return "".join(lines)
