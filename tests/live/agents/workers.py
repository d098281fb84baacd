"""Workers of these agents, and the server of their models, as processes of a test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.conftest import LiveServer, give_up, wait_until

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NODE = HERE / "node"
BOUND = HERE / "bound.py"
NO_NODE = "there is no node: install Node.js 20.15 or newer"
NO_PACKAGES = (
    "the Node agent's packages are not installed, or not those of its lock file: run "
    "npm ci --prefix tests/live/agents/node --ignore-scripts"
)


@dataclass(frozen=True, slots=True)
class AgentProgram:
    """An agent as somebody deploys it.

    Attributes:
        name: under which it is dispatched.
        command: starts its worker.
        cwd: where.
    """

    name: str
    command: tuple[str, ...]
    cwd: Path


REALTIME = AgentProgram("clinic-realtime", (sys.executable, "realtime_agent.py", "start"), HERE)


def node_agent() -> AgentProgram:
    """Gives up where Node or the agent's packages are not installed."""
    node = shutil.which("node")
    if node is None:
        give_up(NO_NODE)
    installed = NODE / "node_modules" / ".package-lock.json"
    if not installed.is_file() or _versions(installed) != _versions(NODE / "package-lock.json"):
        give_up(NO_PACKAGES)
    return AgentProgram("clinic-node", (str(node), "agent.js", "start"), NODE)


def _versions(lock: Path) -> dict[str, str]:
    """What is locked, but for what other platforms and LiveKit's optional parts need."""
    packages = json.loads(lock.read_text())["packages"].items()
    return {
        path: package["version"]
        for path, package in packages
        if path and not package.get("optional") and not package.get("peer")
    }


@contextmanager
def model_server(directory: Path) -> Iterator[Mapping[str, str]]:
    """The demo's models behind OpenAI's API; the variables that point an agent at them."""
    log = directory / "models.log"
    with _process((sys.executable, "-m", "tests.live.agents.serve"), ROOT, os.environ, log) as run:
        wait_until(lambda: _url(log) != "" or run.poll() is not None, 60, log.read_text)
        assert run.poll() is None, log.read_text()
        yield {"OPENAI_BASE_URL": _url(log), "OPENAI_API_KEY": "local"}


def _url(log: Path) -> str:
    lines = log.read_text().splitlines()
    return next((line for line in lines if line.startswith("http://127.0.0.1:")), "")


@contextmanager
def worker(
    program: AgentProgram, server: LiveServer, variables: Mapping[str, str], directory: Path
) -> Iterator[None]:
    """A worker that is registered at ``server``."""
    log = directory / f"{program.name}.log"
    environ = {**server.environment(), **variables}
    with _process(program.command, program.cwd, environ, log) as run:
        wait_until(
            lambda: "registered worker" in log.read_text() or run.poll() is not None,
            60,
            log.read_text,
        )
        assert run.poll() is None, log.read_text()
        yield


@contextmanager
def _process(
    command: tuple[str, ...], cwd: Path, environ: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        run = subprocess.Popen(
            (sys.executable, str(BOUND), str(os.getpid()), *command),
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield run
    finally:
        # With the processes of its jobs.
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
