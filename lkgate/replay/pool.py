"""Calls replayed in parallel by one fork server, watched by the wall clock.

A call that crashes, hangs or prints without end ends that call alone. One selector loop drives
everything; only closing a bundle (hashing, FLAC) happens on threads, so that children never wait
for it.
"""

from __future__ import annotations

import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lkgate.bundle import close_journal
from lkgate.errors import BuildError, BundleError
from lkgate.model.build import Build
from lkgate.model.event import Json
from lkgate.replay import trouble
from lkgate.replay.outcome import Failure, Job, Outcome, amend_header, last_place_of, read_result
from lkgate.replay.output import Output
from lkgate.replay.server import BOOT, Server, abort, kill_group

_TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """Something for a progress line.

    Attributes:
        outcome: of an ``ended`` call.
    """

    kind: Literal["loading", "ready", "started", "ended"]
    call: str | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class _Running:
    job: Job
    output: Output
    began_s: float
    deadline_s: float
    pid: int | None = None
    killed: bool = False


def replay_calls(
    build: Build,
    jobs: Sequence[Job],
    *,
    workers: int,
    wall_limit_s: float,
    on_event: Callable[[Progress], None],
    load: dict[str, Json] | None = None,
    everything: bool = False,
    boot: Path = BOOT,
    load_limit_s: float = 180.0,
) -> list[Outcome]:
    """Replay every job, ``workers`` at once; outcomes in the order of ``jobs``.

    Args:
        build: loaded once, forked for every call.
        wall_limit_s: real time after which a call is killed, unless its job has its own.
        load: further fields of the load message (``seed``, ``models``).
        everything: let the build see all of the user's variables.
        boot: for tests.
        load_limit_s: real time in which the program must be loaded.

    Raises:
        BuildError: the program does not load: its import fails or hangs, it exits, it makes no
            agent server.
    """
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="close") as closing:
        on_event(Progress("loading"))
        server = Server(build, boot=boot, everything=everything)
        pool = _Pool(build, server, jobs, workers, wall_limit_s, on_event, closing)
        try:
            pool.load(dict(load or {}), load_limit_s)
            on_event(Progress("ready"))
            pool.run()
        finally:
            # Also on Ctrl-C, which is raised in here: nothing that was started outlives this.
            pool.kill()
        return pool.outcomes()


class _Pool:
    def __init__(
        self,
        build: Build,
        server: Server,
        jobs: Sequence[Job],
        workers: int,
        wall_limit_s: float,
        on_event: Callable[[Progress], None],
        closing: ThreadPoolExecutor,
    ) -> None:
        self._build = build
        self._server = server
        self._jobs = jobs
        self._workers = workers
        self._wall_limit_s = wall_limit_s
        self._on_event = on_event
        self._closing = closing
        self._waiting = deque(jobs)
        self._running: dict[str, _Running] = {}
        self._closes: dict[str, Future[Outcome]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._server_gone: Failure | None = None
        self._selector = selectors.DefaultSelector()
        self._selector.register(server.socket, selectors.EVENT_READ)
        self._selector.register(server.output.fd, selectors.EVENT_READ, server.output)

    def load(self, more: dict[str, Json], limit_s: float) -> None:
        build = self._build
        args: list[Json] = list(build.args)
        message: dict[str, Json] = {
            "op": "load",
            "name": build.name,
            "program": str(build.program) if build.program else None,
            "module": build.module,
            "args": args,
            "cwd": str(build.cwd),
        }
        self._server.send(message | more)
        deadline_s = time.monotonic() + limit_s
        while time.monotonic() < deadline_s:
            self._wait(deadline_s)
            dead = self._server.dead()
            messages = self._server.receive()
            if messages is None or (dead and not messages):
                raise self._died("while the program was loaded")
            for answer in messages:
                if answer.get("op") == "ready":
                    return
                if answer.get("op") == "failed":
                    error = self._server.secrets.hide_in(answer.get("error"))
                    raise trouble.refused(build, error, self._printed())
        raise trouble.still_loading(build, limit_s, self._printed())

    def run(self) -> None:
        while len(self._outcomes) < len(self._jobs):
            if self._server_gone is None:
                self._start_some()
            self._wait(min((one.deadline_s for one in self._running.values()), default=None))
            if self._server_gone is None:
                self._receive()
            self._watch()
            self._collect()

    def kill(self) -> None:
        if self._server_gone is None and self._running:
            self._note_pids(self._server.receive() or [])
        self._server.kill()
        for one in list(self._running.values()):
            self._stop(one)
        self._selector.close()

    def outcomes(self) -> list[Outcome]:
        return [self._outcomes[job.call] for job in self._jobs]

    def _start_some(self) -> None:
        while self._waiting and len(self._running) < self._workers:
            job = self._waiting.popleft()
            pipe = job.directory / "output"
            os.mkfifo(pipe)
            # Open for writing too: else it would be at its end before the child opens it.
            fd = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
            output = Output(fd, self._server.secrets)
            self._selector.register(output.fd, selectors.EVENT_READ, output)
            now_s = time.monotonic()
            running = _Running(job, output, now_s, now_s + self._limit_s(job))
            self._running[str(job.directory)] = running
            self._server.send({"op": "run", "job": str(job.directory)})
            self._on_event(Progress("started", job.call))

    def _wait(self, deadline_s: float | None) -> None:
        timeout_s = 0.02 if self._closes else _TICK_S
        if deadline_s is not None:
            timeout_s = min(timeout_s, max(0.0, deadline_s - time.monotonic()))
        sending = not self._server.flush()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if sending else 0)
        if self._server_gone is None:
            self._selector.modify(self._server.socket, events)
        for key, _ in self._selector.select(timeout_s):
            if isinstance(key.data, Output) and not key.data.drain():
                self._selector.unregister(key.fd)

    def _receive(self) -> None:
        # Asked before reading: what it said last has then arrived. Its end alone does not close
        # the socket, for a child may still hold it.
        dead = self._server.dead()
        messages = self._server.receive()
        self._note_pids(messages or [])
        for message in messages or []:
            running = self._running.get(str(message.get("job")))
            status = message.get("status")
            if running and message.get("op") == "ended" and isinstance(status, int):
                self._end(running, status)
        if dead or messages is None:
            self._give_up()

    def _note_pids(self, messages: list[dict[str, Json]]) -> None:
        for message in messages:
            running, pid = self._running.get(str(message.get("job"))), message.get("pid")
            if running and message.get("op") == "started" and isinstance(pid, int):
                running.pid = pid

    def _watch(self) -> None:
        now_s = time.monotonic()
        for one in list(self._running.values()):
            if now_s < one.deadline_s:
                continue
            if one.killed or one.pid is None:
                # Killed a moment ago and still not reported, or never even forked.
                self._end(one, -9)
            else:
                one.killed = True
                one.deadline_s = now_s + 5.0
                # An abort, for it leaves the place where it was behind; _stop() kills the rest.
                abort(one.pid)

    def _end(self, one: _Running, status: int) -> None:
        self._stop(one)
        wall_s = time.monotonic() - one.began_s
        future = self._closing.submit(self._close, one, status, wall_s)
        self._closes[one.job.call] = future

    def _stop(self, one: _Running) -> None:
        """The call's group dies with it, and its output is complete.

        What it started in a session of its own is found when the server ends.
        """
        self._running.pop(str(one.job.directory), None)
        if one.pid is not None:
            kill_group(one.pid)
        one.output.drain()
        self._selector.unregister(one.output.fd)
        one.output.close()
        pipe = one.job.directory / "output"
        pipe.unlink(missing_ok=True)
        pipe.with_suffix(".log").write_text(one.output.text(), encoding="utf-8")

    def _close(self, one: _Running, status: int, wall_s: float) -> Outcome:
        job, printed = one.job, one.output.tail()
        if one.killed or one.pid is None:
            limit = trouble.still_running(self._limit_s(job), last_place_of(job.directory))
            return Outcome(job.call, None, limit, wall_s, {}, printed)
        failure, stats = read_result(job.directory, status, printed, self._server.secrets)
        bundle = None
        if failure is None:
            try:
                amend_header(job.directory / "out", job.header)
                bundle = close_journal(job.directory / "out", job.bundle)
            except BundleError as error:
                failure = Failure("bundle", error.what, error.where, error.next_step)
        return Outcome(job.call, bundle, failure, wall_s, stats, printed)

    def _limit_s(self, job: Job) -> float:
        return self._wall_limit_s if job.wall_limit_s is None else job.wall_limit_s

    def _collect(self) -> None:
        for call, future in list(self._closes.items()):
            if future.done():
                del self._closes[call]
                self._outcome(future.result())

    def _outcome(self, outcome: Outcome) -> None:
        self._outcomes[outcome.call] = outcome
        self._on_event(Progress("ended", outcome.call, outcome))

    def _give_up(self) -> None:
        """The server died: the calls that had ended are kept, the others fail for it."""
        error = self._died("while calls were replayed")
        self._server_gone = Failure("server", error.what, error.where, error.next_step)
        self._selector.unregister(self._server.socket)
        lost = [one.job for one in self._running.values()] + list(self._waiting)
        for one in list(self._running.values()):
            self._stop(one)
        self._waiting.clear()
        for job in lost:
            self._outcome(Outcome(job.call, None, self._server_gone, 0.0))

    def _printed(self) -> str:
        self._server.output.drain()
        return self._server.output.tail()

    def _died(self, when: str) -> BuildError:
        return trouble.died(self._build, self._server.exit_status(), when, self._printed())
