"""The recorder's connection to its room, and how it comes back when that is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from livekit import rtc

from lkgate.capture import RoomCapture
from lkgate.capture.fields import meant
from lkgate.errors import RecordError
from lkgate.record.server import Server

_ANSWER_SECONDS = 5.0
_GOODBYE_SECONDS = 5.0


class Connection:
    """A connection that is made again when it is lost.

    rtc itself comes back from a short cut: it says "reconnecting" and "reconnected". It gives up
    after some 20 s, or at once when its token is refused; then :meth:`rejoin` makes a new one, of
    the same recorder, in the same journal.

    Attributes:
        room: as it is now.
        over: whether the room ended, or the recorder was sent out of it.
        cut_since_us: session time since which the server is out of reach, ``None`` if it is not.
        back_since_us: session time at which the last cut ended, ``None`` if there was none.
    """

    def __init__(
        self, room: rtc.Room, name: str, capture: RoomCapture, *, now_us: Callable[[], int]
    ):
        self.room = room
        self.over = False
        self.cut_since_us: int | None = None
        self.back_since_us: int | None = None
        self._name = name
        self._capture = capture
        self._now_us = now_us
        self._hooks: list[Callable[[rtc.Room], None]] = [self._follow, _leave_video_out]

    def on_new_room(self, hook: Callable[[rtc.Room], None]) -> None:
        """Have ``hook`` called with every room before it is joined."""
        self._hooks.append(hook)

    async def join(self, server: Server) -> None:
        """Join for the first time.

        Raises:
            RecordError: if that fails.
        """
        for hook in self._hooks:
            hook(self.room)
        self._capture.start()
        await server.join(self.room, self._name)
        self._capture.start()

    async def rejoin(self, server: Server) -> None:
        """Try once, if rtc has given up.

        Only a room that is there again is joined: joining would make an empty one. rtc tries to
        join for some 30 s; sooner it must not be given up, or it would be in the room for nobody.
        """
        if self.room.isconnected():
            return
        try:
            if not await asyncio.wait_for(server.room_exists(self._name), _ANSWER_SECONDS):
                return
            room = rtc.Room()
            for hook in self._hooks:
                hook(room)
            self._capture.move(room)
            await server.join(room, self._name)
        except (RecordError, TimeoutError):
            return  # the next attempt is half a second away
        self.room = room
        self._capture.start()
        self._back()
        self._capture.note("lkgate.rejoined", {})

    async def leave(self) -> None:
        """Say goodbye to the server, which has some seconds to answer."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.room.disconnect(), _GOODBYE_SECONDS)

    def _follow(self, room: rtc.Room) -> None:
        def cut() -> None:
            if self.cut_since_us is None:
                self.cut_since_us = self._now_us()

        def gone(reason: rtc.DisconnectReason.ValueType) -> None:
            if room is not self.room:
                return
            if meant(reason):
                self.over = True
            else:
                cut()

        room.on("reconnecting", cut)
        room.on("reconnected", self._back)
        room.on("disconnected", gone)

    def _back(self) -> None:
        self.cut_since_us = None
        self.back_since_us = self._now_us()


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
