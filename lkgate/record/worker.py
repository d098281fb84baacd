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
_AGENT_NAME = re.compile(r'"agent_name": ?"((?:[^"\\]|\\.)*)"')
_REGISTERED = "registered worker"
_POLL_SECONDS = 0.1
_DRAIN_SECONDS = 15.0
_EOF_SECONDS = 5.0


class Worker:
    """A running worker process. Made by :func:`start`."""

    def __init__(
        self,
        build: Build,
        process: asyncio.subprocess.Process,
        secrets: Secrets,
        parts: Path,
    ):
        self.build = build
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
            told = read_worker(self._parts)
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
            name = _AGENT_NAME.search(line)
            self._agent_name.set_result(json.loads(f'"{name[1]}"') if name else "")
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
    build: Build, credentials: Credentials, *, environ: Mapping[str, str], cassette_dir: Path
) -> AsyncIterator[Worker]:
    """Run ``python program <its arguments> start`` as its users do.

    The worker has a session of its own, so that Ctrl-C reaches the recorder alone. The shim on
    its ``PYTHONPATH`` writes the model and tool exchanges of every job into ``cassette_dir``.

    Raises:
        BuildError: if the interpreter cannot be run.
    """
    target = ["-m", build.module] if build.module is not None else [str(build.program)]
    path = [str(SHIM), *filter(None, [build.env.get("PYTHONPATH", environ.get("PYTHONPATH"))])]
    env = {
        **environ,
        **build.env,
        **credentials.environment(),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONUNBUFFERED": "1",
        # "registered worker" is said at this level.
        "LIVEKIT_LOG_LEVEL": "info",
        CASSETTE_DIR: str(cassette_dir),
    }
    try:
        process = await asyncio.create_subprocess_exec(
            str(build.python),
            *target,
            *build.args,
            *(() if _COMMANDS.intersection(build.args) else ("start",)),
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
            where=str(build.python),
            next_step="Check python and cwd under [tool.lkgate.builds].",
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
    message = f"{record.get('level', '')} {record.get('message', '')}".strip()
    trace = str(record.get("exc_info", "")).strip().splitlines()
    return f"{message}: {trace[-1].strip()}" if trace else message


def _advice(tail: str) -> str | None:
    if "address already in use" in tail or "Errno 98" in tail:
        return "Another worker holds its HTTP port: end it, or give this one AgentServer(port=0)."
    return None


def _place(build: Build) -> str:
    return build.module if build.module is not None else str(build.program)
