"""What is around an agent's program, as far as files tell: git's root, and its environment."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate.builds.versions import AGENTS
from lkgate.config.source import TOML_NAME

# Minor versions of Python 3 that lkgate and a replay run in.
_OLDEST, _NEWEST = 11, 13
_VENVS = (".venv", "venv")
_MADE_WITH = r"(?m)^version(?:_info)?\s*=\s*3\.(\d+)"
# Which packages there are is told in one of these, or what they are told from is there already.
_NOT_GUESSED = ("src", "setup.py", "setup.cfg", "gates", "recordings")
_EXPLICIT = {"packages", "py-modules", "package-dir"}


@dataclass(frozen=True, slots=True)
class Project:
    """Where an agent lives.

    Attributes:
        root: the directory of its settings.
        top: git's root at or above it; ``root`` itself outside of git.
        python: the agent's interpreter, relative to ``root``; ``None``: the one that runs lkgate.
        install: lines of a shell in ``root`` that install the agent where it has nothing yet.
        version: of the Python to do that with.
        home: directory below ``root`` for what lkgate brings, ``.`` if ``root`` is right for it.
        branch: the one that is released.
    """

    root: Path
    top: Path
    python: str | None
    install: tuple[str, ...]
    version: str
    home: Path
    branch: str

    @property
    def below(self) -> Path:
        """``root``, relative to git's."""
        return self.root.relative_to(self.top)


def look(root: Path) -> Project:
    """What is at ``root`` and above, up to git's root. Runs nothing."""
    root = Path(os.path.realpath(root))
    top = next((one for one in (root, *root.parents) if os.path.lexists(one / ".git")), root)
    places = [one for one in (root, *root.parents) if one.is_relative_to(top)]
    python, install = _environment(root, places)
    return Project(
        root=root,
        top=top,
        python=python,
        install=install,
        version=_version(places),
        home=Path("tests") if _packages_are_guessed(root) else Path(),
        branch=_branch(top),
    )


def _environment(root: Path, places: Sequence[Path]) -> tuple[str | None, tuple[str, ...]]:
    """The agent's interpreter, and the shell lines by which CI installs the agent."""
    for place in places:
        if (place / "uv.lock").exists():
            # Of a workspace, its one environment is beside the lock.
            return f"{_from(root, place / '.venv')}/bin/python", (
                "pip install uv",
                "uv sync --frozen",
            )
    wanted = None
    for place in places:
        if (locked := _locked(root, place)) is not None:
            return locked
        if (wanted := _wanted(root, place)) is not None:
            break
    lines = [f"pip install {wanted or repr(AGENTS) + '    # and what else the agent needs'}"]
    venvs = (place / name for place in places for name in _VENVS)
    venv = next((one for one in venvs if os.access(one / "bin" / "python", os.X_OK)), None)
    if venv is None:
        return None, tuple(lines)
    folder = _from(root, venv)
    made = f"python -m venv {shlex.quote(folder)}"
    return f"{folder}/bin/python", (made, *(f"{shlex.quote(folder)}/bin/{one}" for one in lines))


def _locked(root: Path, place: Path) -> tuple[str | None, tuple[str, ...]] | None:
    """The same, by Poetry's or Pipenv's lock at ``place``.

    Without an environment beside it, where theirs is cannot be told from files: the agent is then
    installed beside lkgate.
    """
    settings = _table(_toml(place, "poetry.toml"), "virtualenvs")
    beside = (place / ".venv").is_dir() or settings.get("in-project") is True
    python = f"{_from(root, place / '.venv')}/bin/python" if beside else None
    if (place / "poetry.lock").exists():
        where = (
            "POETRY_VIRTUALENVS_IN_PROJECT=true" if beside else "POETRY_VIRTUALENVS_CREATE=false"
        )
        of = "" if place == root else f" -C {shlex.quote(_from(root, place))}"
        return python, ("pip install poetry", f"{where} poetry{of} install --no-interaction")
    if (place / "Pipfile.lock").exists():
        file = shlex.quote(_from(root, place / "Pipfile"))
        of = "" if place == root else f"PIPENV_PIPFILE={file} "
        sync = "PIPENV_VENV_IN_PROJECT=1 pipenv sync" if beside else "pipenv sync --system"
        return python, ("pip install pipenv", f"{of}{sync}")
    return None


def _wanted(root: Path, place: Path) -> str | None:
    """What pip is to install for the agent, if it is at ``place``."""
    if (place / "requirements.txt").exists():
        return f"-r {shlex.quote(_from(root, place / 'requirements.txt'))}"
    if {"project", "build-system"} & _toml(place).keys() or (place / "setup.py").exists():
        return shlex.quote(_from(root, place))
    return None


def _from(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _toml(place: Path, name: str = TOML_NAME) -> Mapping[str, object]:
    """The TOML file at ``place``; empty if there is none that can be read."""
    try:
        return tomllib.loads(_text(place / name))
    except ValueError:
        return {}


def _table(have: object, *names: str) -> Mapping[str, object]:
    for name in names:
        have = have.get(name) if isinstance(have, dict) else None
    return have if isinstance(have, dict) else {}


def _version(places: Sequence[Path]) -> str:
    """The Python that the agent is meant for, or the nearest that lkgate knows."""
    for place in places:
        have = _toml(place)
        requires = [
            _table(have, "project").get("requires-python"),
            _table(have, "tool", "poetry", "dependencies").get("python"),
        ]
        for text, pattern in (
            (_text(place / ".python-version"), r"\A(?:cpython-)?3\.(\d+)"),
            *((_text(place / name / "pyvenv.cfg"), _MADE_WITH) for name in _VENVS),
            *((str(one), r"(?:>=|==|~=|\^|~)\s*3\.(\d+)") for one in requires),
            (_text(place / "Pipfile"), r"(?m)^python(?:_full)?_version\s*=\s*[\"']3\.(\d+)"),
        ):
            if (found := re.search(pattern, text)) is not None:
                return f"3.{min(max(int(found[1]), _OLDEST), _NEWEST)}"
    return f"3.{_OLDEST}"


def _packages_are_guessed(root: Path) -> bool:
    """Whether setuptools takes directories beside the program for the project's packages.

    It refuses to build what seems to have several, so ``gates`` and ``recordings`` would break
    the agent's own installation. ``tests`` is a name that it leaves out.
    https://setuptools.pypa.io/en/latest/userguide/package_discovery.html
    """
    have = _toml(root)
    backend = _table(have, "build-system").get("build-backend", "setuptools.build_meta")
    return (
        bool({"project", "build-system"} & have.keys())
        and str(backend).startswith("setuptools.")
        and not _EXPLICIT & _table(have, "tool", "setuptools").keys()
        and not any((root / name).exists() for name in _NOT_GUESSED)
    )


def _branch(top: Path) -> str:
    """What the clone calls the remote's own branch, else ``main``."""
    head = _text(top / ".git" / "refs" / "remotes" / "origin" / "HEAD")
    found = re.fullmatch(r"ref: refs/remotes/origin/([\w./-]+)\s*", head)
    return found[1] if found else "main"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, ValueError):
        return ""
