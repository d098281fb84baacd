"""Rooms of a server, recorded as they appear, for as long as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from lkgate.errors import LkgateError, RecordError
from lkgate.model.event import Json
from lkgate.record.calllog import CallLog
from lkgate.record.consent import ConsentError
from lkgate.record.options import OnWarning
from lkgate.record.schedule import LiveRoom, Next, Schedule
from lkgate.record.server import SecondRecorderError
from lkgate.record.shelf import Shelf, left
from lkgate.record.stop import NoPlaceError, StoppedError, unless

_BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)

# All rooms of the server; raises RecordError if it does not answer.
Rooms = Callable[[], Coroutine[None, None, Sequence[LiveRoom]]]


class Record(Protocol):
    """Record one room into a bundle at ``out``; as :func:`lkgate.record.record_room`."""

    def __call__(
        self,
        room: str,
        out: Path,
        /,
        *,
        stop: asyncio.Event,
        on_warning: OnWarning,
        may_begin: Callable[[], bool],
    ) -> Awaitable[Path]: ...


class Watch:
    """Records rooms until it is told to stop. No room waits for another.

    Args:
        schedule: which rooms.
        rooms: asked again and again.
        record: one of them.
        shelf: where bundles go.
        log: a line for every call, and for what happens besides.
        poll_seconds: between two questions.
    """

    def __init__(
        self,
        schedule: Schedule,
        *,
        rooms: Rooms,
        record: Record,
        shelf: Shelf,
        log: CallLog,
        poll_seconds: float,
    ):
        self._schedule = schedule
        self._rooms = rooms
        self._record = record
        self._shelf = shelf
        self._log = log
        self._poll_seconds = poll_seconds
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()
        self._lost = 0
        self._bug: BaseException | None = None

    async def run(self, stop: asyncio.Event, wake: asyncio.Event) -> int:
        """Until ``stop`` is set and every recording closed. How many of those could not be.

        A server that does not answer is asked again, ever more rarely.

        Args:
            stop: ends every recording as well, each with its bundle.
            wake: look now; cleared when seen.
        """
        for name in self._shelf.ledger.due:
            self._spawn(self._shelf.finish(self._shelf.ledger.directory / name))
        for name in self._shelf.ledger.begun:
            self._spawn(self._take_up(self._shelf.ledger.directory / name))
        failures = 0
        while not stop.is_set():
            failures = await self._look(failures, stop)
            seconds = self._poll_seconds
            if failures:
                seconds = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS)) - 1]
            await _either(stop, wake, seconds)
            wake.clear()
        self._log.line("stopping", recordings=self._shelf.open)
        self._lost = 0
        self._stop.set()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._bug is not None:
            raise self._bug
        return self._lost

    async def _look(self, failures: int, stop: asyncio.Event) -> int:
        """One look at the server; how many failed in a row."""
        try:
            rooms = await unless(stop, self._rooms())
        except RecordError as error:
            if not failures:
                self._log.line("server_away", error=error.what, where=error.where)
            return failures + 1
        if rooms is None:
            return failures
        if failures:
            self._log.line("server_back", attempts=failures)
        self._told &= {room.sid for room in rooms}
        starts, skips = self._schedule.look(rooms, disk_full=await self._shelf.tidy())
        for skip in skips:
            self._tell(skip.room, "skipped", reason=skip.reason)
        for room in starts:
            self._spawn(self._follow(room))
        return 0

    async def _follow(self, room: LiveRoom) -> None:
        """One room, from here to its bundle and to what is done with that."""
        then: Next = "done"
        bundle: Path | None = None
        try:
            out = await self._shelf.begin(room.name)
            warnings: list[str] = []
            try:
                await self._record(
                    room.name,
                    out,
                    stop=self._stop,
                    on_warning=warnings.append,
                    may_begin=partial(self._schedule.claim, room),
                )
            except (LkgateError, OSError) as error:
                if left(out).is_dir():
                    bundle = await self._close_left(room, out, str(error))
                else:
                    await self._shelf.give_up(out)
                    then = self._nothing(room, error)
            else:
                told = await self._shelf.close(out)
                self._tell(room, "recorded", **told, warnings=[*warnings] or None)
                bundle = out
        except (LkgateError, OSError) as error:
            # Of the directory: it is full or gone. The next room may find it better.
            self._tell(room, "failed", error=str(error))
        finally:
            self._schedule.ended(room, then)
        if bundle is not None:
            await self._shelf.finish(bundle)

    def _nothing(self, room: LiveRoom, error: LkgateError | OSError) -> Next:
        """Say why there is nothing on disk of a recording."""
        if isinstance(error, SecondRecorderError):
            if room.sid not in self._told:
                self._told.add(room.sid)
                self._tell(room, "skipped", reason="has_recorder", error=error.what)
            return "later"
        if isinstance(error, ConsentError):
            self._tell(room, "not_recorded", reason="consent", error=error.what)
            return "done"
        if isinstance(error, NoPlaceError):
            self._tell(room, "skipped", reason="max_rooms")
            return "done"
        if isinstance(error, StoppedError):
            self._tell(room, "skipped", reason="stopping")
            return "done"
        self._tell(room, "failed", error=str(error))
        return "failed"

    async def _close_left(self, room: LiveRoom | None, out: Path, why: str) -> Path | None:
        """Make a bundle of what is left of a recording that ended otherwise than it should."""
        try:
            told = await self._shelf.close_left(out)
        except (LkgateError, OSError) as error:
            self._lost += 1
            self._tell(room, "failed", error=f"{why}; {error}", left=str(left(out)))
            return None
        self._tell(room, "recovered", **told, error=why)
        return out

    async def _take_up(self, out: Path) -> None:
        """What an earlier recorder of this directory was killed in."""
        bundle: Path | None = None
        try:
            if left(out).is_dir():
                bundle = await self._close_left(None, out, "the recorder was killed")
            elif out.is_dir():  # It was killed just after it had closed it.
                self._tell(None, "recorded", **await self._shelf.close(out))
                bundle = out
            else:
                await self._shelf.give_up(out)
        except (LkgateError, OSError) as error:
            self._tell(None, "failed", bundle=str(out), error=str(error))
        if bundle is not None:
            await self._shelf.finish(bundle)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        bug = None if task.cancelled() else task.exception()
        if bug is not None:
            # The other rooms go on; it is raised when they are closed.
            self._bug = self._bug or bug
            self._log.line("bug", error=f"{type(bug).__name__}: {bug}")

    def _tell(self, room: LiveRoom | None, outcome: str, **fields: Json) -> None:
        named: dict[str, Json] = {} if room is None else {"room": room.name, "sid": room.sid}
        self._log.line("call", **{**named, "outcome": outcome, **fields})


async def _either(stop: asyncio.Event, wake: asyncio.Event, seconds: float) -> None:
    """Return when one of them is set, or after ``seconds``."""
    waits = [asyncio.create_task(event.wait()) for event in (stop, wake)]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for each in waits:
        each.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
