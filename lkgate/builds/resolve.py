"""What ``--against`` means."""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from lkgate.config import BuildEntry, Config
from lkgate.errors import BuildError, ConfigError
from lkgate.model.build import Build

DEPLOYED = "agent:"


def resolve(name: str, config: Config) -> Build:
    """The build that ``name`` means.

    One declared in the settings, the path of a program, or ``agent:NAME@URL``: an agent that is
    deployed at a LiveKit server.

    Raises:
        ConfigError: nothing of that name; the known names and the nearest are listed.
        BuildError: its program, its directory or its interpreter is not there.
    """
    if not name:
        raise ConfigError("the build's name is empty", next_step=_known(name, config))
    entry = config.builds.get(name)
    if entry is not None:
        return _declared(entry, config)
    if name.startswith(DEPLOYED):
        return _deployed(name, config)
    path = Path(name)
    if path.suffix == ".py":
        program = path.resolve()
        if not program.is_file():
            raise ConfigError(
                "there is no such program", where=name, next_step=_known(name, config)
            )
        python, cwd = Path(sys.executable), config.root
        return Build(path.stem, python, program, None, (), cwd, {})
    if path.is_dir():
        raise ConfigError(
            "a build is a program, not a directory",
            where=name,
            next_step="Pass the file that you run, such as `--against "
            f"{path / 'agent.py'}`, or declare it under [tool.lkgate.builds].",
        )
    if _is_commit(name, config.root):
        raise ConfigError(
            f"`{name}` is a git commit, and lkgate replays programs on disk",
            next_step=f"Check it out (`git worktree add ../{name.replace('/', '-')} {name}`) "
            "and pass the path of its program.",
        )
    raise ConfigError(f"there is no build `{name}`", next_step=_known(name, config))


def _deployed(name: str, config: Config) -> Build:
    agent, at, url = name.removeprefix(DEPLOYED).rpartition("@")
    if not (at and agent) or urlsplit(url).scheme not in ("ws", "wss", "http", "https"):
        raise ConfigError(
            f"`{name}` names no deployed agent",
            next_step="It looks like agent:clinic-intake@wss://project.livekit.cloud",
        )
    python, cwd = Path(sys.executable), config.root
    return Build(agent, python, None, None, (), cwd, {}, url=url, agent_name=agent)


def _declared(entry: BuildEntry, config: Config) -> Build:
    python = _interpreter(entry, config)
    if entry.program is not None and not entry.program.is_file():
        raise BuildError(
            f"build `{entry.name}`: there is no program {entry.program}",
            where=entry.where,
            next_step="Correct `program`: it is relative to the settings' directory.",
        )
    if not entry.cwd.is_dir():
        raise BuildError(
            f"build `{entry.name}`: there is no directory {entry.cwd}",
            where=entry.where,
            next_step="Correct `cwd`: it is relative to the settings' directory.",
        )
    return Build(
        name=entry.name,
        python=python,
        program=entry.program,
        module=entry.module,
        args=entry.args,
        cwd=entry.cwd,
        env=entry.env,
        command=entry.command,
        url=entry.url,
        agent_name=entry.agent_name,
        pipeline=entry.pipeline,
    )


def _interpreter(entry: BuildEntry, config: Config) -> Path:
    if entry.python is None:
        return Path(sys.executable)
    if os.sep in entry.python:
        # Not resolved: a virtual environment's interpreter is known by its own path.
        found: Path | None = config.root / Path(entry.python).expanduser()
    else:
        which = shutil.which(entry.python)
        found = Path(which) if which else None
    if found is None or not os.access(found, os.X_OK):
        raise BuildError(
            f"build `{entry.name}`: there is no interpreter {found or entry.python}",
            where=entry.where,
            next_step="Create its environment, or correct `python`.",
        )
    return found


def _known(name: str, config: Config) -> str:
    names = list(config.builds)
    if not names:
        return "Declare it under [tool.lkgate.builds], or pass the path of a program."
    close = difflib.get_close_matches(name, names, n=1)
    return (f"Did you mean `{close[0]}`? " if close else "") + (
        f"Declared in {config.path}: {', '.join(names)}."
    )


def _is_commit(name: str, root: Path) -> bool:
    git = shutil.which("git")
    if git is None or name.startswith("-"):
        return False
    command = [git, "-C", str(root), "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
