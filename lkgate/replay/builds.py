"""What ``--against`` means, and what identifies the build behind it."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lkgate.config import BuildEntry, Config
from lkgate.errors import BuildError, ConfigError
from lkgate.model.build import Build
from lkgate.model.bundle import BuildIdentity

_SKIPPED = {"__pycache__", "node_modules", "site-packages"}
_QUERY_LIMIT_S = 60

# Run by the build's interpreter. `find_spec` of a top-level name imports nothing.
_QUERY = """
import importlib.metadata, importlib.util, json, sys
from importlib.metadata import distributions
names = {}
for one in distributions():
    name = (one.metadata["Name"] or "").lower().replace("_", "-")
    if name in ("livekit", "livekit-agents", "numpy") or name.startswith("livekit-plugins-"):
        names.setdefault(name, one.version)
spec = importlib.util.find_spec(sys.argv[1]) if len(sys.argv) > 1 else None
where = list(spec.submodule_search_locations or [spec.origin])[0] if spec else None
python = "%d.%d.%d" % sys.version_info[:3]
print(json.dumps({"versions": {"python": python, **names}, "module": where}))
"""


def resolve(name: str, config: Config) -> Build:
    """The build that ``name`` means: one declared in the settings, or the path of a program.

    Raises:
        ConfigError: nothing of that name; the known names and the nearest are listed.
        BuildError: its program, its directory or its interpreter is not there.
    """
    entry = config.builds.get(name)
    if entry is not None:
        return _declared(entry, config)
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


def identify(build: Build) -> BuildIdentity:
    """The build's digest and versions, asked of its own interpreter.

    The digest covers every Python file in the directory of the program (of the package, for a
    module), the arguments and the variables: anything else that a program reads is its data.

    Raises:
        BuildError: the interpreter does not run, or has no livekit-agents.
    """
    versions, module = _ask(build)
    if "livekit-agents" not in versions:
        raise BuildError(
            "livekit-agents is not installed in the build's interpreter",
            where=str(build.python),
            next_step=f"Run `{build.python} -m pip install livekit-agents`, or set "
            f"`python` under [tool.lkgate.builds.{build.name}].",
        )
    if build.module is not None and module is None:
        raise BuildError(
            f"there is no module `{build.module}` in {build.cwd}",
            where=f"builds.{build.name}",
            next_step="Set `cwd` to the directory that holds it.",
        )
    start = build.program or module
    assert start is not None  # a build has a program or a module
    return BuildIdentity(build.name, _digest(build, start), versions)


def _declared(entry: BuildEntry, config: Config) -> Build:
    python = _interpreter(entry, config)
    if entry.program is not None and not entry.program.is_file():
        raise BuildError(
            f"build `{entry.name}`: there is no program {entry.program}", where=entry.where
        )
    if not entry.cwd.is_dir():
        raise BuildError(
            f"build `{entry.name}`: there is no directory {entry.cwd}", where=entry.where
        )
    return Build(entry.name, python, entry.program, entry.module, entry.args, entry.cwd, entry.env)


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


def _ask(build: Build) -> tuple[dict[str, str], Path | None]:
    top = [build.module.split(".")[0]] if build.module else []
    try:
        done = subprocess.run(
            [str(build.python), "-c", _QUERY, *top],
            cwd=build.cwd,
            env=environment(build, everything=False),
            capture_output=True,
            text=True,
            timeout=_QUERY_LIMIT_S,
        )
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise BuildError(
            f"the build's interpreter does not run: {error}", where=str(build.python)
        ) from error
    if answer is None:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise BuildError(f"the build's interpreter does not run: {last}", where=str(build.python))
    module = answer["module"]
    return dict(sorted(answer["versions"].items())), Path(module) if module else None


# What a program may need to run at all, without what would make a replay depend on the machine.
_INHERITED = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "LD_LIBRARY_PATH"}
_INHERITED_PREFIXES = ("HF_", "XDG_", "DYLD_", "SSL_CERT_")
_FIXED = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
_OURS = ("PYTHON", "LKGATE_", "LC_", "COVERAGE_")
_OURS_TOO = {"TZ", "LANG", "LANGUAGE", "VIRTUAL_ENV"}


def environment(build: Build, *, everything: bool) -> dict[str, str]:
    """The variables that a build runs with.

    Args:
        everything: also what the user's shell has set, keys above all: for a replay that may ask
            providers. Else a replay must not depend on the machine, and gets none of it.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED
        or name.startswith(_INHERITED_PREFIXES)
        or (everything and not name.startswith(_OURS) and name not in _OURS_TOO)
    }
    return inherited | dict(build.env) | _FIXED


def _digest(build: Build, start: Path) -> str:
    root = start if start.is_dir() else start.parent
    digest = hashlib.sha256()
    for path in sorted(_python_files(root) | ({start} if start.is_file() else set())):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    started = start.relative_to(root).as_posix() if build.program else build.module
    settings = [started, list(build.args), sorted(build.env.items())]
    digest.update(json.dumps(settings).encode())
    return digest.hexdigest()


def _python_files(root: Path) -> set[Path]:
    def walk(directory: Path) -> Iterator[Path]:
        for entry in os.scandir(directory):
            if entry.is_dir(follow_symlinks=False):
                own = entry.name not in _SKIPPED and not entry.name.startswith(".")
                if own and not Path(entry.path, "pyvenv.cfg").exists():
                    yield from walk(Path(entry.path))
            elif entry.name.endswith(".py") and entry.is_file():
                yield Path(entry.path)

    return set(walk(root))
