"""``lkgate demo``: a pass and a failure, in a directory that can be played with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

import lkgate
from lkgate.cli.exits import Exit
from lkgate.errors import ConfigError

_SETTINGS = """\
# The demo: a clinic's intake agent in three builds.
[tool.lkgate]
recordings = "recordings"
gates = ["gates/demo.yaml"]

[tool.lkgate.builds.v1]
program = "clinic/agent_v1.py"

[tool.lkgate.builds.v2]
program = "clinic/agent_v2.py"

[tool.lkgate.builds.v3]
program = "clinic/agent_v3.py"

[tool.lkgate.tools]
# Its tools work on a clinic in memory: a call that was never recorded may run.
default = "run"
"""
# Of the build that fails: there is something to look at.
_PAGE = "report.html"
# build, what else is asked for, what it is, and how its replay ends
_BUILDS = (
    ("v2", "", "warmer words, quicker to answer: a build that may go out", Exit.PASS),
    (
        "v3",
        f" --report html={_PAGE}",
        "three faults that no transcript shows: a build that may not",
        Exit.GATE_FAILED,
    ),
)


@click.command("demo")
@click.argument("directory", type=click.Path(path_type=Path), default=Path("lkgate-demo"))
def command(directory: Path) -> int:
    """Unpack the demo into DIRECTORY, replay its calls into a good and a bad build of its agent.

    Needs livekit-agents in this interpreter: pip install 'lkgate[demo]'.

    Example: lkgate demo && cd lkgate-demo && lkgate show recordings/book
    """
    _unpack(directory)
    for build, report, what, expected in _BUILDS:
        line = f"lkgate replay --against {build}{report}"
        click.echo(f"\n{directory}$ {line}    # {what}\n")
        command = [sys.executable, "-m", *line.split()]
        code = subprocess.run(command, cwd=directory, check=False).returncode
        if code != expected:
            click.echo(f"this should have ended with exit code {expected:d}, not {code}", err=True)
            return Exit.INCOMPLETE
        click.echo(f"\nexit code {code}")
    click.echo(
        "\nWhat broke, to look at and to hear, in one file for a browser: "
        f"{directory / _PAGE}\n"
        f"Next: cd {directory} && lkgate show recordings/barge-in, change clinic/agent_v2.py and "
        "replay into it,\nor lkgate init in your own agent's repository."
    )
    return Exit.PASS


def _unpack(directory: Path) -> None:
    if find_spec("livekit.agents") is None:
        raise ConfigError(
            "the demo's agent needs livekit-agents, which this interpreter does not have",
            where=sys.executable,
            next_step="pip install 'lkgate[demo]'",
        )
    if directory.exists() and any(directory.iterdir() if directory.is_dir() else (directory,)):
        raise ConfigError(
            "there is something already", where=str(directory), next_step="Name another directory."
        )
    package = Path(lkgate.__file__).resolve().parent
    # In a wheel beside the demo's programs; in a checkout at its top.
    data = package / "demo" if (package / "demo" / "recordings").is_dir() else package.parent
    for source, name in (
        (package / "demo" / "clinic", "clinic"),
        (data / "gates", "gates"),
        (data / "recordings", "recordings"),
    ):
        shutil.copytree(source, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "pyproject.toml").write_text(_SETTINGS, encoding="utf-8")
