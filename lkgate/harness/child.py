"""The process of one call, and the warm process that it is forked from."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lkgate.harness import process
from lkgate.harness import time as virtual
from lkgate.harness.failure import Failure, exit_words, failure_of, in_words, program_line
from lkgate.harness.last_words import leave_last_words
from lkgate.harness.time import real
from lkgate.harness.time.threads import WorkerStuckError
from lkgate.model.event import Json

if TYPE_CHECKING:
    from livekit.agents import AgentServer

    from lkgate.harness.call import CallJob
    from lkgate.harness.program import Target
    from lkgate.harness.room import VirtualFfi

# Time of day while a program is loaded: the same for all of its calls.
_LOADED_AT_UNIX_US = 1_735_689_600_000_000
# Virtual time after which a program that is loaded counts as running for ever.
_LOADED_WITHIN_NS = 24 * 3600 * 1_000_000_000
# In the directory of a job.
LAST_WORDS = "last_words"
_leave = os._exit  # the program's own use of it is watched


@dataclass(frozen=True, slots=True)
class Warm:
    """A process that has everything but the program."""

    clock: virtual.Clock
    ffi: VirtualFfi
    seed: int

    def load(self, target: Target) -> AgentServer:
        """Run the program as far as its server. See :func:`lkgate.harness.program.load`."""
        from lkgate.harness.program import load

        # A fork has its chance from the machine again: `random` sees to that.
        virtual.reset(self.clock, seed=self.seed, started_at_unix_us=_LOADED_AT_UNIX_US)
        scheduler = self.clock.scheduler
        scheduler.horizon_ns = self.clock.peek() + _LOADED_WITHIN_NS
        try:
            return load(target)
        finally:
            scheduler.horizon_ns = None

    def call(
        self, directory: Path, *, server: AgentServer | None = None, target: Target | None = None
    ) -> NoReturn:
        """Be the process of one call: run it, leave ``result.json``, end.

        Args:
            directory: of the job.
            server: the program's, or else
            target: the program to load first.
        """
        own = os.getpid()
        began_s, cpu_s = real.perf_counter(), process.cpu_s()
        failure: Failure | None = None
        virtual_us = 0
        words = os.open(directory / LAST_WORDS, os.O_WRONLY | os.O_CREAT, 0o600)
        leave_last_words(words)
        try:
            if server is None:
                assert target is not None
                server = self.load(target)
            virtual_us = _run(directory, server, self.clock, self.ffi)
        except BaseException as error:  # noqa: BLE001 - the end of this process, told to the parent
            failure = _explain(error)
        if os.getpid() != own:  # a process that the program forked off, and that came back
            _leave(0)
        stats: dict[str, Json] = {
            "virtual_us": virtual_us,
            "wall_s": round(real.perf_counter() - began_s, 3),
            "cpu_s": round(process.cpu_s() - cpu_s, 3),
            "peak_mb": process.peak_mb(),
        }
        _write_result(directory, failure, stats)
        process.flush()
        _leave(0)


def warm_up(*, seed: int) -> Warm:
    """Install virtual time and the virtual room, import LiveKit and what every call needs of it.

    Raises:
        Failure: ``no_livekit``: the interpreter has no livekit-agents that lkgate knows.
    """
    clock = virtual.install(seed=seed, started_at_unix_us=_LOADED_AT_UNIX_US)
    # LiveKit's turn detector would add up its sums in helper threads, in an order of its own.
    os.environ["EOT_PARALLELISM"] = "none"
    try:
        import livekit.agents
        import livekit.agents.voice.room_io
    except ImportError as error:
        raise Failure(
            "no_livekit",
            f"the build's interpreter cannot import livekit.agents: {in_words(error)}",
            where=sys.executable,
            next_step="Name the interpreter of the build's own environment as `python`, or "
            "install livekit-agents there.",
            trace=traceback.format_exc(),
        ) from error
    with contextlib.suppress(ImportError):  # livekit-agents 1.8.0 and older have none
        import livekit.agents.ipc._preload  # noqa: F401
    from lkgate.harness import call, memory, program, rehearsal, room, speakingrate  # noqa: F401
    from lkgate.harness.tape import install_seams, provider_environment

    install_seams()
    speakingrate.install()
    rehearsal.rehearse()
    os.environ.update(provider_environment(os.environ))
    return Warm(clock, room.install(), seed)


def _run(directory: Path, server: AgentServer, clock: virtual.Clock, ffi: VirtualFfi) -> int:
    """The call itself. Returns the virtual time that it took."""
    from lkgate.harness import memory
    from lkgate.harness.call import Call, read_job

    job: CallJob = read_job(directory)
    keep = memory.remember(job.memory, directory) if job.memory is not None else lambda: None
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    virtual.reset(clock, seed=job.seed, started_at_unix_us=job.started_at_unix_us)
    began_ns = clock.peek()

    async def main() -> None:
        await Call(job, server, ffi).run()

    asks = job.cassette is not None and job.cassette["mode"] != "cassette"
    try:
        virtual.run(main, clock=clock, horizon_us=job.horizon_us, hybrid=asks)
    finally:
        keep()
    return (clock.peek() - began_ns) // 1000


def _explain(error: BaseException) -> Failure:
    if isinstance(error, Failure):
        return error
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, virtual.DeadlockError):
        return Failure(
            "deadlock",
            str(error),
            where=program_line(error),
            next_step="The agent, the caller or a task of the program waits for something that "
            "nothing in the room will bring about.",
            trace=trace,
        )
    if isinstance(error, virtual.HorizonError):
        return Failure(
            "horizon",
            str(error),
            where=program_line(error),
            next_step="The call went on far longer than the recording. Something repeats itself, "
            "or the agent never lets the caller go.",
            trace=trace,
        )
    if isinstance(error, WorkerStuckError):
        return failure_of("thread_stuck", error)
    if isinstance(error, SystemExit):
        return Failure(
            "program_exit",
            f"the program exited {exit_words(error)} in the middle of the call",
            where=program_line(error),
            next_step="An entrypoint ends a call by returning, or with `ctx.shutdown()`.",
            trace=trace,
        )
    if isinstance(error, KeyboardInterrupt):
        return failure_of(
            "program_exit",
            error,
            said="the program was interrupted in the middle of the call: ",
            next_step="Nobody pressed Ctrl-C here: it sends itself SIGINT.",
        )
    disturbance = _disturbance(error)
    if disturbance is not None:
        return Failure(
            "program_meddles",
            f"the program {disturbance}, and with it the call",
            where=program_line(error),
            next_step="An agent shares its process and its event loop with the worker, in "
            "production too. Let it end only what it began.",
            trace=trace,
        )
    return failure_of(
        "internal",
        error,
        said="a bug in lkgate: ",
        next_step="Report it, with what the same command prints with `--debug`.",
    )


def _disturbance(error: BaseException) -> str | None:
    """What the program did to what is not its own, if that is what the error comes from."""
    if isinstance(error, asyncio.CancelledError):
        return "cancelled tasks that it did not create"
    if isinstance(error, RuntimeError) and str(error).startswith("Event loop stopped before"):
        return "stopped the event loop"
    if isinstance(error, OSError) and error.errno == errno.EBADF:
        return "closed files that it did not open"
    return None


def _write_result(directory: Path, failure: Failure | None, stats: dict[str, Json]) -> None:
    result: dict[str, Json] = {"status": "ok" if failure is None else "error", "stats": stats}
    if failure is not None:
        result["error"] = failure.as_json()
    unfinished = directory / "result.json.part"
    unfinished.write_text(json.dumps(result), encoding="utf-8")
    unfinished.replace(directory / "result.json")
