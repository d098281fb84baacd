"""Files as whoever reads a report has them: seen from here, the same on every machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lkgate.model.verdict import CallFailure, SourceLine
from lkgate.replay.outcome import Outcome


def shown(path: Path, root: Path) -> str:
    """A file as seen from here, the same on every machine if it lies here or with the settings."""
    resolved = path.resolve()
    near = any(resolved.is_relative_to(base) for base in (Path.cwd(), root.resolve()))
    return _from_here(resolved) if near else str(path)


def failure_of(outcome: Outcome) -> CallFailure:
    """Why there is no replay, as a verdict tells it: not where on this machine it was tried."""
    failure = outcome.failure
    assert failure is not None
    source = source_line(failure.where)
    where = failure.where
    if source is not None and not _far(source.path):
        where = f"{source.path}:{source.line}"
    message = f"{where}: {failure.message}" if where else failure.message
    here = f"{Path.cwd()}{os.sep}"
    step = failure.next_step and failure.next_step.replace(here, "")
    return CallFailure(failure.kind, message.replace(here, ""), step, source)


def source_line(where: str | None) -> SourceLine | None:
    """A failure's ``file:line``, if that is a file here; its place may be something else."""
    name, _, line = (where or "").rpartition(":")
    try:
        if not re.fullmatch("[1-9][0-9]{0,8}", line) or not (file := Path(name)).is_file():
            return None
    except ValueError:  # a path with a null character
        return None
    return SourceLine(_from_here(file.resolve()), int(line))


def _from_here(path: Path) -> str:
    return Path(os.path.relpath(path, Path.cwd())).as_posix()


def _far(path: str) -> bool:
    """Whether a path from here has nothing in common with it but the root of all files."""
    return path.split("/").count("..") >= len(Path.cwd().parts) - 1
