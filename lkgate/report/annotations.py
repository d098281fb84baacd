"""GitHub's workflow commands: an annotation for each rule that failed or has no verdict.

What a call or a gate says can end no command and begin none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lkgate.model.verdict import Finding, Verdict
from lkgate.report import words
from lkgate.report.inert import clipped, visible_lines

# GitHub shows ten of a kind for a step; a line beyond some kilobytes is cut off.
_TEXT = 2_000
_PLACES = 4


def render(verdicts: Sequence[Verdict], *, build: str, directory: str = "") -> str:
    """A command a line, errors before warnings; empty if there is nothing to say.

    Args:
        directory: of the gates' paths, from the root of the repository.
    """
    lines = [line for verdict in verdicts for line in _lines(verdict, build, directory)]
    return "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[:8] != "::error "))


def _lines(verdict: Verdict, build: str, directory: str) -> Iterator[str]:
    place = {"file": f"{directory}/{verdict.gate.path}" if directory else verdict.gate.path}
    for problem in verdict.missing:
        text = f"{problem.call}: {problem.reason}. {problem.next_step or ''}"
        yield _command("error", {**place, "title": f"lkgate: no replay of {problem.call}"}, text)
    for found in verdict.with_status("fail", "no_verdict"):
        level = "error" if verdict.decides(found) else "warning"
        what = "failed" if found.status == "fail" else "has no verdict"
        what = "is undecided" if found.undecided else what
        title = f"lkgate: {found.rule.label} {what} ({build})"
        yield _command(level, {**place, "title": title}, _message(found))


def _message(found: Finding) -> str:
    lines = [found.rule.message, found.reason] if found.rule.message else [found.reason]
    if found.status == "fail":
        for one in found.evidence[:_PLACES]:
            turn = "call" if one.turn is None else f"turn {one.turn}"
            lines.append(f"{one.call}, {turn}, listen at {words.span(one.span)}")
    else:
        lines += [problem.next_step for problem in found.problems[:1] if problem.next_step]
    return "\n".join(line for line in lines if line)


def _command(level: str, properties: dict[str, str], message: str) -> str:
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {told}::{_data(message)}"


def _data(text: str) -> str:
    short = visible_lines(clipped(text, _TEXT))
    return short.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
