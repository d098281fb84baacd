"""Finds the agent program of a repository by reading its sources. Nothing is run or imported."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NEVER = {"node_modules", "site-packages", "build", "dist", "tests", "test", "__pycache__"}
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Program:
    """A file that makes an agent worker.

    Attributes:
        path: relative to the repository.
        module: its dotted name if it has to be run with ``python -m``: it imports its siblings
            relatively.
        directory: relative to the repository, where it has to be run for that; ``None``: anywhere.
        answers: it has an ``rtc_session`` or ``WorkerOptions``.
    """

    path: Path
    module: str | None
    directory: Path | None
    answers: bool


def find_programs(root: Path) -> list[Program]:
    """Programs below ``root`` that run LiveKit agents, the most likely one first.

    A file that runs a worker and answers its sessions comes before one that only runs it; of two
    alike, the one nearer to the top.
    """
    found = [
        program for path in _sources(root) if (program := read_program(root, path)) is not None
    ]
    return sorted(found, key=lambda one: (not one.answers, len(one.path.parts), str(one.path)))


def _sources(root: Path) -> Iterator[Path]:
    for directory, below, files in os.walk(root):
        here = Path(directory)
        below[:] = sorted(
            name
            for name in below
            if not name.startswith(".")
            and name not in _NEVER
            and not (here / name / "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            if name.endswith(".py") and not name.startswith("test_"):
                yield here / name


def read_program(root: Path, path: Path) -> Program | None:
    """The program in ``path``; ``None`` if it runs no worker or is no Python."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    # As nearly every program does, or a server that runs itself.
    if "run_app" not in names and not {"AgentServer", "run"} <= names:
        return None
    relative = any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    module, directory = _module(root, path) if relative else (None, None)
    answers = bool(names & {"rtc_session", "WorkerOptions"})
    return Program(path.relative_to(root), module, directory, answers)


def _module(root: Path, path: Path) -> tuple[str, Path]:
    top = path.parent
    while top != root and (top.parent / "__init__.py").exists():
        top = top.parent
    base = top.parent if top != root else root
    parts = path.relative_to(base).with_suffix("").parts
    if parts[-1] == "__main__":
        parts = parts[:-1]
    return ".".join(parts), base.relative_to(root)
