"""A command of the user's own, run for every finished bundle."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from lkgate.errors import ConfigError
from lkgate.secret import Secrets

BUNDLE = "LKGATE_BUNDLE"
TIMEOUT_SECONDS = 300.0
_TAIL_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a hook ended.

    Attributes:
        reason: ``None`` if it succeeded.
        output: the end of what it printed, without keys and secrets.
    """

    reason: str | None
    output: str


@dataclass(frozen=True, slots=True)
class Hook:
    """A command and its arguments. No shell sees it, so nothing in a name is ever a command."""

    words: tuple[str, ...]
    timeout_seconds: float = TIMEOUT_SECONDS

    @classmethod
    def parse(cls, command: str) -> Hook:
        """Words split as a shell splits them.

        Raises:
            ConfigError: if there is no word, or a quote is not closed.
        """
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise ConfigError(f"--on-bundle cannot be split into words: {error}") from None
        if not words:
            raise ConfigError("--on-bundle names no command")
        return cls(words)

    async def run(self, bundle: Path, environ: Mapping[str, str]) -> Outcome:
        """Run it with the bundle's path as its last argument and in ``LKGATE_BUNDLE``.

        Never raises for what the command does; one that takes too long is killed with all that it
        started, and so it is when this is cancelled. What it left running when it ended goes
        on, but nobody reads what that prints.
        """
        path = str(bundle.resolve())
        # A pipe of our own: asyncio's would be waited for until all that it left running has ended.
        read_end, write_end = os.pipe()
        with os.fdopen(read_end, "rb", buffering=0) as pipe:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self.words,
                    path,
                    env={**environ, BUNDLE: path},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=write_end,
                    stderr=write_end,
                    start_new_session=True,
                )
            except OSError as error:
                return Outcome(f"cannot be started: {error.strerror}", "")
            finally:
                os.close(write_end)
            tail = bytearray()
            reason = None
            reading = asyncio.ensure_future(_drain(pipe, tail))
            try:
                await asyncio.wait_for(process.wait(), self.timeout_seconds)
            except TimeoutError:
                reason = f"killed after {self.timeout_seconds:g} s"
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                code = await process.wait()
                # What it said before it ended.
                await asyncio.wait({reading}, timeout=0.5)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        if reason is None and code:
            reason = f"exit code {code}" if code > 0 else f"killed by signal {-code}"
        output = bytes(tail[-_TAIL_BYTES:]).decode(errors="replace").strip()
        return Outcome(reason, Secrets.of(environ).hide(output, cut=True))


async def _drain(output: FileIO, tail: bytearray) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), output
    )
    try:
        while chunk := await reader.read(1 << 16):
            tail += chunk
            del tail[: -2 * _TAIL_BYTES]
    finally:
        transport.close()
