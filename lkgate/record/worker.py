"""A build's own worker, started for one recording."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from lkgate.builds import secrets_of
from lkgate.cassette import read_worker
from lkgate.errors import BuildError
from lkgate.model.build import Build
from lkgate.record.credentials import Credentials
from lkgate.record.health import ask_worker
from lkgate.record.job import WorkerFacts
from lkgate.record.server import until
from lkgate.record.worker_log import WorkerLog
from lkgate.secret import Secrets

SHIM = Path(__file__).resolve().parent.parent / "harness" / "shim"
CASSETTE_DIR = "LKGATE_CASSETTE_DIR"

# Of livekit.agents.cli.run_app: one of them is needed to run a worker.
_COMMANDS = {"start", "dev", "connect"}
_TAIL_LINES = 12
_LINE_BYTES = 4_000
# Python's log says agent_name, and Node's may say agentName.
_AGENT_NAME = re.compile(r'"agent_?[nN]ame": ?"((?:[^"\\]|\\.)*)"')
_WORKER_ID = re.compile(r'"(?:id|workerI[dD]|worker_id)": ?"(AW_\w+)"')
_REGISTERED = "registered worker"
_POLL_SECONDS = 0.1
_DRAIN_SECONDS = 15.0
_EOF_SECONDS = 5.0


class Worker:
    """A running worker process. Made by :func:`start`.

    Attributes:
        id: as the server knows it; ``None`` until its log says so.
    """

    def __init__(
        self,
        build: Build,
        process: asyncio.subprocess.Process,
        secrets: Secrets,
        parts: Path | None,
    ):
        self.build = build
        self.id: str | None = None
        self.log = WorkerLog()
        self._parts = parts
        self._process = process
        self._secrets = secrets
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._agent_name: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.get_running_loop().create_task(self._read())

    @property
    def tail(self) -> str:
        """The last lines that the worker printed, without keys and secrets."""
        return self._secrets.hide("\n".join(self._tail))

    @property
    def exit_code(self) -> int | None:
        """``None`` while it runs."""
        return self._process.returncode

    async def facts(self) -> WorkerFacts:
        """How it is, asked at its health check (if it has one) and told by its log."""
        if self.exit_code is not None:
            return WorkerFacts(reachable=False)
        facts = WorkerFacts(reachable=True, answers=True)
        for address in self.log.addresses:
            facts = await ask_worker(address)
            if facts.reachable:
                break
        if self.log.load is not None and facts.answers:
            facts = replace(facts, load=self.log.load, threshold=self.log.threshold)
        return facts

    async def registered(self, wait_us: int, stop: asyncio.Event) -> str | None:
        """The name that the worker registered under at the server (``""``: automatic dispatch).

        ``None`` if ``stop`` was set first.

        Raises:
            BuildError: if the worker exits, or is not registered within ``wait_us``.
        """
        left = wait_us / 1e6
        while left > 0 and not self._reader.done():
            # A program may log as it likes: then the shim tells.
            told = read_worker(self._parts) if self._parts is not None else None
            if told is not None or self._agent_name.done():
                return str(told["agent_name"]) if told else self._agent_name.result()
            if await until(stop, min(left, _POLL_SECONDS)):
                return None
            left -= _POLL_SECONDS
        if self._reader.done():
            code = await self._process.wait()
            raise BuildError(
                f"the worker of build {self.build.name!r} ended with exit code {code} before it "
                f"was registered at the server\n{self.tail}",
                where=_place(self.build),
                next_step=_advice(self.tail),
            )
        raise BuildError(
            f"the worker of build {self.build.name!r} was not registered at the server within "
            f"{wait_us / 1e6:g} s\n{self.tail}",
            where=_place(self.build),
            next_step="Run it by hand with 'start' to see why, or wait longer with --wait.",
        )

    async def _read(self) -> None:
        output = self._process.stdout
        assert output is not None  # asked for in start
        rest = b""
        # Not readline: a program may print a line of any length.
        while chunk := await output.read(1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-_LINE_BYTES:]
            for line in lines:
                self._line(line[:_LINE_BYTES].decode(errors="replace").rstrip())
        self._line(rest.decode(errors="replace").rstrip())

    def _line(self, line: str) -> None:
        if _REGISTERED in line and not self._agent_name.done():
            found = _WORKER_ID.search(line)
            self.id = found[1] if found else None
            name = _AGENT_NAME.search(line)
            declared = self.build.agent_name or ""
            self._agent_name.set_result(json.loads(f'"{name[1]}"') if name else declared)
        self.log.line(line)
        text = _readable(line)
        if text:
            self._tail.append(self._secrets.hide(text, cut=True))

    async def close(self) -> None:
        """End the worker: it drains, as on any deployment; what hangs is killed."""
        if self.exit_code is None:
            # The worker alone, as orchestrators do: it ends its jobs itself.
            self._process.terminate()
            # Not wait(): that also waits for its children to close the pipe.
            left = _DRAIN_SECONDS
            while self.exit_code is None and left > 0:
                await asyncio.sleep(_POLL_SECONDS)
                left -= _POLL_SECONDS
        # The worker if it hangs, and job processes that outlived it.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        # To the end of what it printed: the pipe closes itself there.
        await asyncio.wait({self._reader}, timeout=_EOF_SECONDS)
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        self._agent_name.cancel()


@asynccontextmanager
async def start(
    build: Build, credentials: Credentials, *, environ: Mapping[str, str], cassette_dir: Path | None
) -> AsyncIterator[Worker]:
    """Run ``python program <its arguments> start``, or the build's command, as its users do.

    The worker has a session of its own, so that Ctrl-C reaches the recorder alone. The shim on
    its ``PYTHONPATH`` writes the model and tool exchanges of every job into ``cassette_dir``;
    where that is ``None``, there is no shim and the program runs as it would without lkgate.

    Raises:
        BuildError: if the interpreter or the command cannot be run, or the build is deployed.
    """
    words = _command_line(build)
    env = {
        **environ,
        **build.env,
        **credentials.environment(),
        "PYTHONUNBUFFERED": "1",
        # "registered worker" is said at this level.
        "LIVEKIT_LOG_LEVEL": "info",
    }
    if cassette_dir is not None:
        path = filter(None, [build.env.get("PYTHONPATH", environ.get("PYTHONPATH"))])
        env["PYTHONPATH"] = os.pathsep.join([str(SHIM), *path])
        env[CASSETTE_DIR] = str(cassette_dir)
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=build.cwd,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise BuildError(
            f"cannot start the worker of build {build.name!r}: {error.strerror}",
            where=words[0],
            next_step="Check what starts it, and its cwd, under [tool.lkgate.builds].",
        ) from error
    worker = Worker(build, process, secrets_of(build, env), cassette_dir)
    try:
        yield worker
    finally:
        await worker.close()


def _readable(line: str) -> str:
    """A line of LiveKit's JSON log as a person reads it; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        record = json.loads(line)
    except ValueError:
        return line
    # Node's pino says msg.
    text = record.get("message", record.get("msg", ""))
    message = f"{record.get('level', '')} {text}".strip()
    trace = str(record.get("exc_info", "")).strip().splitlines()
    return f"{message}: {trace[-1].strip()}" if trace else message


def _advice(tail: str) -> str | None:
    if "address already in use" in tail or "Errno 98" in tail:
        return "Another worker holds its HTTP port: end it, or give this one AgentServer(port=0)."
    return None


def _command_line(build: Build) -> list[str]:
    if build.url is not None:
        raise BuildError(
            f"build {build.name!r} is deployed: there is no worker of it to start",
            where=build.url,
        )
    if build.command is not None:
        return list(build.command)
    target = ["-m", build.module] if build.module is not None else [str(build.program)]
    start = () if _COMMANDS.intersection(build.args) else ("start",)
    return [str(build.python), *target, *build.args, *start]


def _place(build: Build) -> str:
    if build.command is not None:
        return " ".join(build.command)
    return build.module if build.module is not None else str(build.program)
