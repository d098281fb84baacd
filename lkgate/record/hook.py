"""A command of the user's own, run for every finished bundle."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
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
        started, and so it is when this is cancelled.
        """
        path = str(bundle.resolve())
        try:
            process = await asyncio.create_subprocess_exec(
                *self.words,
                path,
                env={**environ, BUNDLE: path},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return Outcome(f"cannot be started: {error.strerror}", "")
        tail = bytearray()
        reason = None
        try:
            await asyncio.wait_for(_read(process, tail), self.timeout_seconds)
        except TimeoutError:
            reason = f"killed after {self.timeout_seconds:g} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = await process.wait()
        if reason is None and code:
            reason = f"exit code {code}" if code > 0 else f"killed by signal {-code}"
        output = bytes(tail[-_TAIL_BYTES:]).decode(errors="replace").strip()
        return Outcome(reason, Secrets.of(environ).hide(output, cut=True))


async def _read(process: asyncio.subprocess.Process, tail: bytearray) -> None:
    """All that it prints, until it ends: what it left running in the background does not count."""
    assert process.stdout is not None  # asked for in run
    reading = asyncio.ensure_future(_drain(process.stdout, tail))
    try:
        await _exited(process)
        # What it said before it ended.
        await asyncio.wait({reading}, timeout=0.5)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _drain(output: asyncio.StreamReader, tail: bytearray) -> None:
    while chunk := await output.read(1 << 16):
        tail += chunk
        del tail[: -2 * _TAIL_BYTES]


async def _exited(process: asyncio.subprocess.Process) -> None:
    # Not wait(): that also waits for its children to close the pipe.
    while process.returncode is None:
        await asyncio.sleep(0.05)
