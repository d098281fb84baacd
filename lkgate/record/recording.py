"""One recording while it runs: a hidden participant, a journal, and when to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from livekit import rtc

from lkgate.bundle.journal import Journal
from lkgate.bundle.journal_reader import read_journal
from lkgate.capture import RoleOf, RoomCapture
from lkgate.model.bundle import BuildIdentity
from lkgate.model.event import Json
from lkgate.record.clock import Clock, Steps
from lkgate.record.connection import Connection
from lkgate.record.dispatches import KIND, Dispatches, first_audio
from lkgate.record.job import Diagnosis
from lkgate.record.options import OnProgress, OnWarning, Progress, RecordOptions, State
from lkgate.record.server import Server, until
from lkgate.record.stop import StoppedError, unless
from lkgate.record.worker import Worker
from lkgate.secret import Secrets

Ending = Literal["room_ended", "connection_lost", "caller_left", "duration", "stopped", "no_agent"]

_SYNC_SECONDS = 0.5
_QUALITY_EVERY_US = 5_000_000
# An agent stays in the room until the server closes it, 20 s after the caller by default.
_AFTER_CALLER_US = 5_000_000
# After a server was restarted everybody comes back in their own time: rtc tries for 20 s.
_AFTER_CUT_US = 30_000_000


class Recording:
    """Writes a room into ``directory`` from ``run``'s beginning to its end.

    Attributes:
        diagnosis: why the agent came late or not at all; ``None``: it came in time, or nothing
            was dispatched and nobody was waited for.
    """

    def __init__(
        self,
        options: RecordOptions,
        directory: Path,
        *,
        identity: BuildIdentity | None,
        secrets: Secrets,
        stop: asyncio.Event,
        on_progress: OnProgress,
        on_warning: OnWarning,
        clock: Clock,
    ):
        self.room = options.room
        self.diagnosis: Diagnosis | None = None
        self._options = options
        self._directory = directory
        self._stop = stop
        self._on_progress = on_progress
        self._on_warning = on_warning
        self._clock = clock
        self._roles = RoleOf(options.caller)
        self._duration_us = 0
        self._started_ns = clock.monotonic_ns()
        self.started_at_unix_us = clock.wall_ns() // 1_000
        self._steps = Steps(self.started_at_unix_us)
        self.journal = Journal.create(directory, header=self._header(identity), secrets=secrets)
        room = rtc.Room()
        self._capture = RoomCapture(
            room,
            self.journal,
            now_us=self.now_us,
            roles=self._roles,
            started_at_unix_us=self.started_at_unix_us,
            topics=options.topics,
            quality_every_us=_QUALITY_EVERY_US,
        )
        self._connection = Connection(room, options.room, self._capture, now_us=self.now_us)

    def _header(self, identity: BuildIdentity | None) -> dict[str, Json]:
        header: dict[str, Json] = {
            "id": self._options.out.name,
            "source": "record",
            "room": self._options.room,
            "started_at_unix_us": self.started_at_unix_us,
            # At most: the bundle says "none" if the worker's shim wrote nothing.
            "cassette": "none" if identity is None else "full",
        }
        if identity is None:
            header["absent"] = {
                "build": "recorded from outside: nothing tells which program the agent was",
                "cassette": "recorded from outside: models and tools are not seen there",
            }
        else:
            header["build"] = {
                "name": identity.name,
                "digest": identity.digest,
                "versions": dict(identity.versions),
            }
        return header

    def only_if(self, admits: Callable[[rtc.Room], bool]) -> None:
        """Have ``admits`` asked before anything that happens in the room is written down."""
        self._capture.admits = admits

    def now_us(self) -> int:
        """Session time: microseconds since the recorder came."""
        return (self._clock.monotonic_ns() - self._started_ns) // 1_000

    async def run(self, server: Server, worker: Worker | None, agent_name: str | None) -> Ending:
        """Record until something ends it. The journal stays open for :meth:`finish`.

        Args:
            worker: that lkgate started, if it did.
            agent_name: who is dispatched (empty: any who goes by no name); ``None``: nobody is.

        Raises:
            RecordError: if the room cannot be joined; ``StoppedError``: not before the stop.
            OSError: if the journal cannot be written.
        """
        room = self._options.room
        dispatches = Dispatches(
            server,
            room,
            note=self._capture.note,
            now_us=self.now_us,
            roles=self._roles,
            agent_name=agent_name,
            worker=worker,
            worker_url=self._options.worker_url,
        )
        self._connection.on_new_room(dispatches.follow)
        following: asyncio.Task[None] | None = None
        try:
            # An agent without a name comes into every new room by itself.
            asked = agent_name == "" and not await server.room_exists(room)
            await unless(self._stop, self._connection.join(server))
            if self._stop.is_set() and not self._connection.room.isconnected():
                raise StoppedError(room)
            dispatches.joined(self._connection.room)
            if agent_name is not None and not asked:
                await server.dispatch(agent_name, room)
            following = asyncio.create_task(dispatches.run())
            ending = await self._watch(server, worker, following)
            dispatches.settle(self._connection.room)
            await self._diagnose(dispatches, ending)
            self._capture.note("lkgate.recording_ended", {"reason": ending})
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
            try:
                await self._leave()
            finally:
                if agent_name is not None:
                    await server.end_dispatches(agent_name, room)
        return ending

    def note(self, kind: str, data: Mapping[str, Json]) -> None:
        """Write an event of the recording's own, now."""
        self._capture.note(kind, data)

    def overhear(self, room: rtc.Room) -> None:
        """Also take what an agent tells the participant who ``room`` is alone."""
        self._capture.overhear(room)

    def finish(self, header: Mapping[str, Json]) -> None:
        """Close the journal, with what was learned after the end. Slow: it reads all of it."""
        self.journal.sync()
        for at_us, data in first_audio(read_journal(self._directory).tracks):
            self.journal.event(at_us, KIND, data)
        self.journal.update_header(**header)
        self.journal.finish(duration_us=self._duration_us)

    async def _watch(
        self, server: Server, worker: Worker | None, following: asyncio.Task[None]
    ) -> Ending:
        options = self._options
        agent_came = caller_came = False
        alone_since_us: int | None = None
        worker_gone = False
        while True:
            now_us = self.now_us()
            roles = self._present()
            agent_came = agent_came or "agent" in roles
            caller_here = bool(roles - {"agent"})
            caller_came = caller_came or caller_here
            self._report("recording" if agent_came else "waiting for the agent")
            self._note_step(now_us)
            if self._capture.failure is not None:
                raise self._capture.failure
            if following.done():
                following.result()  # it ends by what it raises alone
            if self._stop.is_set():
                return "stopped"
            if options.duration_us is not None and now_us >= options.duration_us:
                return "duration"
            connection = self._connection
            if connection.over:
                return "room_ended"
            if connection.cut_since_us is not None:
                # While the recorder itself is cut off, it sees nobody.
                alone_since_us = None
                if now_us - connection.cut_since_us >= options.rejoin_us:
                    self._on_warning("the connection to the server was lost and did not come back")
                    return "connection_lost"
                await unless(self._stop, connection.rejoin(server))
            elif caller_here or not (caller_came or (agent_came and not roles)):
                alone_since_us = None
            elif alone_since_us is None:
                alone_since_us = now_us
            elif now_us - alone_since_us >= self._patience_us(now_us):
                return "caller_left"
            if not agent_came and now_us >= options.wait_us:
                return "no_agent"
            if worker is not None and worker.exit_code is not None and not worker_gone:
                worker_gone = True
                self._on_warning(
                    f"the build's worker ended with exit code {worker.exit_code}:\n{worker.tail}"
                )
            await until(self._stop, _SYNC_SECONDS)
            # On a thread: fsync may take as long as the disk likes, and frames keep coming.
            await asyncio.to_thread(self.journal.sync)

    def _patience_us(self, now_us: int) -> int:
        back_us = self._connection.back_since_us
        if back_us is not None and now_us - back_us < _AFTER_CUT_US:
            return _AFTER_CUT_US
        return _AFTER_CALLER_US

    def _note_step(self, now_us: int) -> None:
        step_us = self._steps.by_us(self._clock.wall_ns() // 1_000, now_us)
        if step_us is not None:
            self._capture.note("lkgate.clock_stepped", {"by_us": step_us})

    async def _diagnose(self, dispatches: Dispatches, ending: Ending) -> None:
        if ending == "no_agent" or dispatches.came:
            self.diagnosis = await dispatches.diagnose()
        if self.diagnosis is not None and ending != "no_agent":
            self._on_warning(f"{self.diagnosis.what} ({self.diagnosis.fault})")

    def _present(self) -> set[str]:
        people = self._connection.room.remote_participants.values()
        roles = (self._roles.participant(participant) for participant in people)
        return {role for role in roles if role is not None}

    def _report(self, state: State) -> None:
        written = sum(f.stat().st_size for f in (self._directory / "journal").iterdir())
        self._on_progress(
            Progress(state, self.now_us(), self._capture.tracks, self._capture.events, written)
        )

    async def _leave(self) -> None:
        self._duration_us = self.now_us()
        try:
            await self._capture.aclose()
            await asyncio.to_thread(self.journal.sync)
        finally:
            await self._connection.leave()
