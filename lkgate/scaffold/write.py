"""Writes what is missing; what is there stays as it is."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import lkgate
from lkgate.config.source import TOML_NAME, YAML_NAME
from lkgate.errors import ConfigError
from lkgate.scaffold import text
from lkgate.scaffold.program import Program

What = Literal["created", "added to", "kept"]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one file.

    Attributes:
        path: relative to the repository.
        why: of a file that was kept.
    """

    what: What
    path: str
    why: str = ""


def write(root: Path, program: Program) -> Iterator[Done]:
    """Settings, a gate, a workflow, and lines for git; yields what was done, file by file.

    Raises:
        ConfigError: ``pyproject.toml`` is no TOML.
        OSError: a file cannot be written.
    """
    python, install = _environment(root)
    yield _settings(root, program, python)
    yield _new(root, "gates/release.yaml", text.GATE)
    flow = text.workflow(install, lkgate.__version__)
    yield _new(root, ".github/workflows/lkgate.yml", flow)
    yield _lines(root, ".gitignore", text.GITIGNORE)
    yield _lines(root, ".gitattributes", text.GITATTRIBUTES)


def _settings(root: Path, program: Program, python: str | None) -> Done:
    if (root / YAML_NAME).exists():
        return Done("kept", YAML_NAME, "it holds settings already")
    path = root / TOML_NAME
    added = text.settings(program, python, "tool.lkgate")
    if not path.exists():
        path.write_text(added, encoding="utf-8")
        return Done("created", TOML_NAME)
    try:
        have = path.read_text(encoding="utf-8")
        parsed = tomllib.loads(have)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path)) from error
    if "lkgate" in parsed.get("tool", {}):
        return Done("kept", TOML_NAME, "it has a [tool.lkgate] already")
    path.write_text(f"{have.rstrip()}\n\n{added}", encoding="utf-8")
    return Done("added to", TOML_NAME)


def _new(root: Path, name: str, content: str) -> Done:
    path = root / name
    if path.exists():
        return Done("kept", name, "it is there already")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return Done("created", name)


def _lines(root: Path, name: str, wanted: Sequence[str]) -> Done:
    path = root / name
    have = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in wanted if line not in have.splitlines()]
    if not missing:
        return Done("kept", name, "it has the lines already")
    before = have if not have or have.endswith("\n") else f"{have}\n"
    path.write_text(before + "".join(f"{line}\n" for line in missing), encoding="utf-8")
    return Done("added to" if have else "created", name)


def _environment(root: Path) -> tuple[str | None, str]:
    """The agent's interpreter, and the shell lines by which CI installs the agent."""
    if (root / "uv.lock").exists():
        return ".venv/bin/python", "pip install uv\nuv sync --frozen"
    python = next((f"{name}/bin/python" for name in (".venv", "venv") if _runs(root / name)), None)
    wanted = (
        "-r requirements.txt"
        if (root / "requirements.txt").exists()
        else "."
        if _installable(root)
        else "'livekit-agents>=1.7.1,<1.9'    # and what else the agent needs"
    )
    if python is None:
        return None, f"pip install {wanted}"
    folder = python.partition("/")[0]
    return python, f"python -m venv {folder}\n{folder}/bin/pip install {wanted}"


def _runs(folder: Path) -> bool:
    return os.access(folder / "bin" / "python", os.X_OK)


def _installable(root: Path) -> bool:
    try:
        return "project" in tomllib.loads((root / TOML_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
