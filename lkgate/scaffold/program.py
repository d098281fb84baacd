"""Finds the agent program of a repository by reading its sources. Nothing is run or imported."""

from __future__ import annotations

import ast
import os
import stat
import warnings
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
            relatively, or by the name of the package that they are in.
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
            and not os.access(here / name / "pyvenv.cfg", os.F_OK)
        )
        for name in sorted(files):
            if name.endswith(".py") and not name.startswith("test_"):
                yield here / name


def read_program(root: Path, path: Path) -> Program | None:
    """The program in ``path``; ``None`` if it runs no worker or is no Python."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MAX_BYTES:
            return None
        with warnings.catch_warnings():
            # Of escapes in somebody's strings: they are not asked about here.
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    # As nearly every program does, or a server that runs itself.
    if "run_app" not in names and not {"AgentServer", "run"} <= names:
        return None
    module, base = _module(root, path)
    own = bool(module) and _imports_its_own(tree, base, module)
    answers = bool(names & {"rtc_session", "WorkerOptions"})
    return Program(
        path=path.relative_to(root),
        module=module if own else None,
        directory=base.relative_to(root) if own else None,
        answers=answers,
    )


def _imports_its_own(tree: ast.AST, base: Path, module: str) -> bool:
    """Whether the file imports the package that it is in, relatively or by its name.

    Args:
        base: the directory that holds the package.
        module: dotted name of the file.
    """
    package = module.partition(".")[0]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                return True
            names.append(node.module or "")
        elif isinstance(node, ast.Import):
            names += [one.name for one in node.names]
    return "." in module and any(
        name.partition(".")[0] == package and _is_module(base, name) for name in names
    )


def _is_module(base: Path, name: str) -> bool:
    """Whether the module is there: a directory may have the name of somebody else's package."""
    place = base.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def _module(root: Path, path: Path) -> tuple[str, Path]:
    """Dotted name of the file, and the directory that it begins in."""
    top = path.parent
    while top != root and (top.parent / "__init__.py").exists():
        top = top.parent
    base = top.parent if top != root else root
    parts = path.relative_to(base).with_suffix("").parts
    if parts[-1] == "__main__":
        parts = parts[:-1]
    return ".".join(parts), base
