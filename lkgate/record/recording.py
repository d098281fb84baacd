"""One recording while it runs: a hidden participant, a journal, and when to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from livekit import rtc

from lkgate.bundle.journal import Journal
from lkgate.capture import RoleOf, RoomCapture
from lkgate.errors import RecordError
from lkgate.model.bundle import BuildIdentity
from lkgate.model.event import Json
from lkgate.record.options import OnProgress, OnWarning, Progress, RecordOptions, State
from lkgate.record.server import Server, until
from lkgate.record.worker import Worker
from lkgate.secret import Secrets

Ending = Literal["room_ended", "connection_lost", "caller_left", "duration", "stopped", "no_agent"]

_SYNC_SECONDS = 0.5
_RECONNECTING = rtc.ConnectionState.CONN_RECONNECTING
# An agent stays in the room until the server closes it, 20 s after the caller by default.
_AFTER_CALLER_US = 5_000_000


class Recording:
    """Writes a room into ``directory`` from ``run``'s beginning to its end."""

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
    ):
        self.room = options.room
        self._options = options
        self._directory = directory
        self._stop = stop
        self._on_progress = on_progress
        self._on_warning = on_warning
        self._roles = RoleOf(options.caller)
        self._duration_us = 0
        self._started_ns = time.monotonic_ns()
        self.started_at_unix_us = time.time_ns() // 1_000
        self.journal = Journal.create(directory, header=self._header(identity), secrets=secrets)
        self._room = rtc.Room()
        self._capture = RoomCapture(
            self._room,
            self.journal,
            now_us=self.now_us,
            roles=self._roles,
            started_at_unix_us=self.started_at_unix_us,
            topics=options.topics,
        )

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

    def now_us(self) -> int:
        """Session time: microseconds since the recorder came."""
        return (time.monotonic_ns() - self._started_ns) // 1_000

    async def run(self, server: Server, worker: Worker | None, agent_name: str) -> Ending:
        """Record until something ends it. The journal stays open for :meth:`finish`.

        Raises:
            RecordError: if the room cannot be joined or the journal not be written.
        """
        room = self._options.room
        _leave_video_out(self._room)
        self._capture.start()
        try:
            # An agent without a name comes into every new room by itself.
            asked = agent_name == "" and not await server.room_exists(room)
            await server.join(self._room, room)
            self._capture.start()
            if worker is not None and not asked:
                await server.dispatch(agent_name, room)
            ending = await self._watch(worker)
            self._capture.note("lkgate.recording_ended", {"reason": ending})
        finally:
            await self._leave()
            if worker is not None:
                await server.end_dispatches(agent_name, room)
        return ending

    def finish(self, header: Mapping[str, Json]) -> None:
        """Close the journal, with what was learned after the end."""
        self.journal.update_header(**header)
        self.journal.finish(duration_us=self._duration_us)

    async def _watch(self, worker: Worker | None) -> Ending:
        options = self._options
        agent_came = caller_came = False
        alone_since_us: int | None = None
        worker_gone = reconnecting = False
        while True:
            now_us = self.now_us()
            roles = self._present()
            agent_came = agent_came or "agent" in roles
            caller_here = bool(roles - {"agent"})
            caller_came = caller_came or caller_here
            self._report("recording" if agent_came else "waiting for the agent")
            if self._capture.failure is not None:
                return "stopped"  # _leave raises it
            if not self._room.isconnected():
                return self._disconnected(reconnecting)
            reconnecting = self._room.connection_state == _RECONNECTING
            if self._stop.is_set():
                return "stopped"
            if options.duration_us is not None and now_us >= options.duration_us:
                return "duration"
            # While the recorder itself is cut off, it sees nobody.
            over = not caller_here and (caller_came or (agent_came and not roles))
            if reconnecting or not over:
                alone_since_us = None
            elif alone_since_us is None:
                alone_since_us = now_us
            elif now_us - alone_since_us >= _AFTER_CALLER_US:
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

    def _disconnected(self, reconnecting: bool) -> Ending:
        if not reconnecting:
            return "room_ended"
        self._on_warning("the connection to the server was lost and did not come back")
        return "connection_lost"

    def _present(self) -> set[str]:
        roles = (self._roles.participant(p) for p in self._room.remote_participants.values())
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
            self.journal.sync()
        except (OSError, ValueError) as error:
            raise RecordError(
                f"the recording could not be written: {error}", where=str(self._directory)
            ) from error
        finally:
            await self._room.disconnect()


def _leave_video_out(room: rtc.Room) -> None:
    """Audio is subscribed by the server at once; video would be decoded for nobody."""

    def published(publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant) -> None:
        if publication.kind == rtc.TrackKind.KIND_VIDEO:
            publication.set_subscribed(False)

    def subscribed(
        _track: rtc.Track, publication: rtc.RemoteTrackPublication, who: rtc.RemoteParticipant
    ) -> None:
        published(publication, who)

    room.on("track_published", published)
    room.on("track_subscribed", subscribed)
