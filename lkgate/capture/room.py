"""Everything a hidden participant can know about a room, as events and tracks of a journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping

from livekit import rtc

from lkgate.bundle.journal import Journal
from lkgate.capture.happening import RoomEvents
from lkgate.capture.listening import Listening, drain
from lkgate.capture.role import RoleOf
from lkgate.capture.stream import StreamCapture
from lkgate.model.event import Json


class RoomCapture:
    """Writes a room down until it is closed.

    ``start`` may be called before ``room.connect`` (nothing can be missed then) and again after
    it; or once after it, with no ``await`` in between. Participants and tracks that were there
    already are recorded first, marked ``present``. Lines come in the order in which things
    arrived here.

    The room's emitter logs and drops what a handler raises, so a failure (a full disk) is kept in
    ``failure`` for the caller to look at, and raised by ``aclose``.

    ``admits``, if it is set, is asked before anything that happens in the room is written down,
    and what it denies is not.

    Args:
        room: as a hidden participant sees it; used through the public API of ``rtc.Room``.
        journal: written to, neither synced nor finished.
        now_us: session time.
        roles: who is who.
        started_at_unix_us: wall clock at session time 0, for the agent's own timestamps.
        topics: of text streams and data packets whose content to record, where it is small;
            ``None`` for all. LiveKit's own text is always recorded.
        sample_rate_hz, frame_ms: in which audio is read and stored.
        quality_every_us: in a real room, how often to note the media's quality; audio is then
            placed where it sounded, not where it was heard. ``None`` where there is no delay.
    """

    def __init__(
        self,
        room: rtc.Room,
        journal: Journal,
        *,
        now_us: Callable[[], int],
        roles: RoleOf | None = None,
        started_at_unix_us: int | None = None,
        topics: tuple[str, ...] | None = None,
        sample_rate_hz: int = 24_000,
        frame_ms: int = 100,
        quality_every_us: int | None = None,
    ):
        self.failure: BaseException | None = None
        self.admits: Callable[[rtc.Room], bool] = lambda _: True
        self.events = 0
        self._room = room
        self._journal = journal
        self._now_us = now_us
        self._streams = StreamCapture(
            room,
            note=self.note,
            spawn=self._spawn,
            now_us=now_us,
            started_at_unix_us=started_at_unix_us,
            topics=topics,
            admits=lambda: self.admits(self._room),
        )
        self._handlers: list[tuple[rtc.room.EventTypes, Callable[..., None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = False
        self._listening = Listening(
            journal,
            note=self.note,
            spawn=self._spawn,
            now_us=now_us,
            sample_rate_hz=sample_rate_hz,
            frame_ms=frame_ms,
            quality_every_us=quality_every_us,
        )
        self._happening = RoomEvents(
            note=self.note,
            listening=self._listening,
            roles=roles or RoleOf(),
            topics=topics,
        )

    @property
    def tracks(self) -> int:
        """How many audio tracks have been heard of."""
        return self._listening.tracks

    def note(self, kind: str, data: Mapping[str, Json]) -> None:
        """Write an event, now."""
        self.events += 1
        self._journal.event(self._now_us(), kind, data)

    def start(self) -> None:
        """Begin to write. See the class."""
        if not self._handlers:
            self._register()
        if self._room.isconnected() and self.admits(self._room):
            self._look_around()

    def overhear(self, room: rtc.Room) -> None:
        """Also take what an agent's session tells the participant who ``room`` is alone.

        For a caller of lkgate's own, before it connects: LiveKit Agents for Node tells nobody else.
        """
        self._streams.overhear(room)

    def move(self, room: rtc.Room) -> None:
        """Go on in another connection to the same room, not yet made: the last one is lost.

        What is there when it is made is recorded as at the beginning; a voice goes on in its track.
        """
        started = bool(self._handlers)
        self._leave()
        self._happening.lose()
        self._connected = False
        self._room = room
        self._streams.room = room
        if started:
            self._register()

    async def aclose(self) -> None:
        """Stop, with all that was received written down. Raises the first failure, if any."""
        await drain()
        self._leave()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.failure is not None:
            raise self.failure

    def _leave(self) -> None:
        for event, handler in self._handlers:
            self._room.off(event, handler)
        if self._handlers:
            self._streams.stop()
        self._handlers = []

    def _register(self) -> None:
        for event, handler in self._happening.handlers():
            self._on(event, handler)
        self._streams.start()

    def _on(self, event: rtc.room.EventTypes, handler: Callable[..., None]) -> None:
        def guarded(*args: object) -> None:
            try:
                if self.admits(self._room):
                    self._look_around()
                    handler(*args)
            except Exception as error:  # noqa: BLE001 - the emitter would log and drop it
                self._fail(error)

        self._room.on(event, guarded)
        self._handlers.append((event, guarded))

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    def _look_around(self) -> None:
        """Write who and what was in the room before anything happened in it."""
        if self._connected:
            return
        self._connected = True
        self._listening.restored()
        self._spawn(self._note_connected())
        self._happening.look_around(self._room)

    async def _note_connected(self) -> None:
        self.note("connected", {"room": self._room.name, "sid": await self._room.sid})
