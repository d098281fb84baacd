"""Where a report on the source points to: a line of the gate's file, or of the program. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from lkgate.model.gate import Gate
from lkgate.model.verdict import Verdict
from lkgate.report.causes import Cause


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, from 1, or the file as a whole; its path is from the repository's root."""

    path: str
    line: int | None = None


def of_gate(gate: Gate, directory: str, line: int | None = None) -> Place:
    """A line of the gate's file.

    Args:
        directory: of the gate's path, from the root of the repository; ``""`` at the root.
    """
    return Place(posixpath.normpath(posixpath.join(directory, gate.path)), line)


def of_cause(verdict: Verdict, cause: Cause, directory: str) -> Place:
    """The program's line where a call failed; else where the gate names the call that is lost;
    else the first rule that has no verdict for it.
    """
    gate, source = verdict.gate, cause.source
    if source is not None:
        path = posixpath.normpath(posixpath.join(directory, source.path))
        if not path.startswith(("../", "/")):
            return Place(path, source.line)
    lost = cause.calls if cause.lost else ()
    lines = [gate.call_lines.get(call) for call in lost]
    lines += [found.rule.line for found in cause.findings]
    return of_gate(gate, directory, next((line for line in lines if line is not None), None))
