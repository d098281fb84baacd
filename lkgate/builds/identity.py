"""What identifies a build: the digest of its program and the versions in its interpreter."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lkgate.builds.environment import environment, secrets_of
from lkgate.builds.versions import AGENTS
from lkgate.errors import BuildError
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


def identify(build: Build, limit_s: float = _QUERY_LIMIT_S) -> BuildIdentity:
    """The build's digest and versions, asked of its own interpreter.

    The digest covers every Python file in the directory of the program (of the package, for a
    module), the arguments and the variables: anything else that a program reads is its data.
    Of a command or a deployed agent nothing is known but its name.

    Args:
        limit_s: that its interpreter has to answer.

    Raises:
        BuildError: the interpreter does not run, or has no livekit-agents.
    """
    if not build.virtual:
        return BuildIdentity(build.name, None, {})
    versions, module = _ask(build, limit_s)
    if "livekit-agents" not in versions:
        raise BuildError(
            "livekit-agents is not installed in the build's interpreter",
            where=str(build.python),
            next_step="Name the interpreter of the agent's own environment as `python` under "
            f"[tool.lkgate.builds.{build.name}], or install '{AGENTS}' into this one.",
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


def _ask(build: Build, limit_s: float) -> tuple[dict[str, str], Path | None]:
    top = [build.module.split(".")[0]] if build.module else []
    variables = environment(build, everything=False)
    correct = (
        f"Make its environment anew, or correct `python` under [tool.lkgate.builds.{build.name}]."
    )
    try:
        done = subprocess.run(
            [str(build.python), "-c", _QUERY, *top],
            cwd=build.cwd,
            env=variables,
            capture_output=True,
            text=True,
            timeout=limit_s,
        )
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"the build's interpreter gave no answer in {limit_s:.0f} s",
            where=str(build.python),
            next_step=correct,
        ) from None
    except OSError as error:
        raise BuildError(
            f"the build's interpreter does not run: {error.strerror}",
            where=str(build.python),
            next_step=correct,
        ) from error
    except (ValueError, IndexError) as error:
        raise BuildError(
            "the build's interpreter is no Python: it was asked for its packages, and said "
            "something else",
            where=str(build.python),
            next_step=correct,
        ) from error
    if answer is None:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        last = secrets_of(build, variables).hide(last)
        raise BuildError(
            f"the build's interpreter does not run: {last}",
            where=str(build.python),
            next_step=f"See what `{build.python} -c 0` says. {correct}",
        )
    module = answer["module"]
    return dict(sorted(answer["versions"].items())), Path(module) if module else None


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
