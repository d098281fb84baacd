"""What ``lkgate init`` adds to a repository; what is there stays as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate.config import BuildEntry, load_config
from lkgate.config.source import TOML_NAME, YAML_NAME
from lkgate.errors import ConfigError
from lkgate.scaffold import text
from lkgate.scaffold.change import Change, Place, What, carry_out
from lkgate.scaffold.origin import Origin
from lkgate.scaffold.program import Program
from lkgate.scaffold.project import Project, look

BUILD = "candidate"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one file.

    Attributes:
        path: relative to the repository.
        why: of a file that was kept, or of its place.
    """

    what: What
    path: str
    why: str = ""


def write(root: Path, program: Program, origin: Origin) -> list[Done]:
    """Settings, a gate, a workflow, and lines for git: all of them, or none.

    Args:
        origin: where the workflow gets lkgate from.

    Raises:
        ConfigError: something is in the way, or cannot be read; nothing was written.
        OSError: a file cannot be read or written; all is as it was.
    """
    changes = list(_changes(look(root), program, origin))
    carry_out(changes)
    return [Done(one.what, one.place.name, one.why) for one in changes]


def declared(root: Path) -> BuildEntry | None:
    """What the settings at ``root`` itself call :data:`BUILD`, if there are any.

    Raises:
        ConfigError: they are wrong.
    """
    config = load_config(root, environ={})
    at_root = config.path is not None and config.path.parent == root.resolve()
    return config.builds.get(BUILD) if at_root else None


def starts(entry: BuildEntry, root: Path, program: Program) -> bool:
    """Whether a build of the settings at ``root`` is that program."""
    path = (root / program.path).resolve()
    if entry.program is not None:
        return entry.program.resolve() == path
    if entry.module is None:
        return False
    place = entry.cwd.joinpath(*entry.module.split(".")).resolve()
    return path in (place.with_name(f"{place.name}.py"), place / "__main__.py")


def _changes(project: Project, program: Program, origin: Origin) -> Iterator[Change]:
    yield _settings(project, program)
    gate = (project.home / text.GATE_NAME).as_posix()
    yield _new(
        _place(project, gate),
        text.GATE,
        "" if project.home == Path() else "not beside the agent: setuptools would package it",
    )
    yield _workflow(project, origin)
    yield _lines(_place(project, ".gitignore"), text.GITIGNORE)
    recordings = (project.home / text.RECORDINGS).as_posix()
    yield _lines(_place(project, ".gitattributes"), text.gitattributes(recordings))


def _place(project: Project, name: str) -> Place:
    return Place.of(project.root / name, name, project.top)


def _settings(project: Project, program: Program) -> Change:
    in_yaml, in_toml = _place(project, YAML_NAME), _place(project, TOML_NAME)
    if in_yaml.have is not None:
        return Change(in_yaml, None, _held(project, program, "it holds settings already"))
    have = _toml(in_toml)
    tool = have.get("tool", {})
    if not isinstance(tool, dict):
        raise ConfigError(
            "`tool` is no table, so there can be no [tool.lkgate]",
            where=str(in_toml.path),
            next_step="Correct it.",
        )
    if "lkgate" in tool:
        return Change(in_toml, None, _held(project, program, "it has a [tool.lkgate] already"))
    lines = text.settings(program, project, BUILD)
    before = in_toml.have or b""
    gap = (
        "" if before.endswith(b"\n\n") or not before else "\n" if before.endswith(b"\n") else "\n\n"
    )
    try:
        add = (gap + lines).encode()
        if b"\r\n" in before:
            add = add.replace(b"\n", b"\r\n")
        tomllib.loads((before + add).decode())
    except UnicodeEncodeError as error:
        raise ConfigError(
            "the name of this program is no UTF-8, so no settings can hold it",
            where=str(program.path),
            next_step="Rename it.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"[tool.lkgate] cannot be added at its end: {error}",
            where=str(in_toml.path),
            next_step=f"Write its `tool` as [tool.NAME] tables, or make a {YAML_NAME} beside it.",
        ) from error
    return Change(in_toml, add)


def _toml(place: Place) -> dict[str, object]:
    try:
        return tomllib.loads((place.have or b"").decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(place.path)) from error


def _workflow(project: Project, origin: Origin) -> Change:
    """The workflow, at git's root: GitHub looks nowhere else."""
    below = project.below.as_posix()
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]|\$\{\{", below):
        raise ConfigError(
            "a workflow cannot name this directory",
            where=str(project.root),
            next_step="Rename it: control characters, ${{ and what is no UTF-8 cannot stand there.",
        )
    slug = re.sub(r"\W+", "-", below).strip("-") or "agent" if below != "." else ""
    name = f".github/workflows/lkgate{slug and '-' + slug}.yml"
    return _new(
        Place.of(project.top / name, "../" * len(project.below.parts) + name, project.top),
        text.workflow(project, slug, BUILD, origin),
        "at git's root, where GitHub looks for it" if slug else "",
    )


def _held(project: Project, program: Program, why: str) -> str:
    """Why settings are kept, and what the workflow finds in them.

    Raises:
        ConfigError: they are wrong.
    """
    entry = declared(project.root)
    if entry is None:
        return f"{why}; the workflow wants a build `{BUILD}` in it"
    if not starts(entry, project.root, program):
        return f"{why}, and its build `{BUILD}` is another"
    return why


def _new(place: Place, content: str, why: str) -> Change:
    if place.have is not None:
        return Change(place, None, "it is there already")
    return Change(place, content.encode(), why)


def _lines(place: Place, wanted: Sequence[str]) -> Change:
    have = place.have or b""
    if b"\0" in have:
        raise ConfigError(
            "git cannot read this: it is no text of one byte a letter, such as UTF-8",
            where=str(place.path),
            next_step="Save it as UTF-8.",
        )
    lines = have.splitlines()
    missing = [line for line in map(str.encode, wanted) if line not in lines]
    if not missing:
        return Change(place, None, "it has the lines already")
    gap = b"" if not have or have.endswith(b"\n") else b"\n"
    return Change(place, gap + b"".join(line + b"\n" for line in missing))
