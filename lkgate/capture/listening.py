"""Which audio of a room is being read, and what interrupts it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from livekit import rtc

from lkgate.bundle.journal import Journal
from lkgate.capture.audio import Ear, Voice, Voices
from lkgate.capture.fields import Fields
from lkgate.model.bundle import Role

# Turns of the event loop for what was received before the end to be written.
_DRAIN_TURNS = 50
# Streams of before a reconnection end, and those after it begin, a moment after it is told.
_AFTERMATH_US = 1_000_000

Spawn = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class Listening:
    """Reads every audio track that it is told of into a voice of its own.

    Args: as of :class:`lkgate.capture.audio.Ear`, and ``spawn``, which starts a task.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        note: Callable[[str, Fields], None],
        spawn: Spawn,
        now_us: Callable[[], int],
        sample_rate_hz: int,
        frame_ms: int,
        quality_every_us: int | None,
    ):
        self._spawn = spawn
        self._now_us = now_us
        self._voices = Voices(
            Ear(
                journal=journal,
                note=note,
                now_us=now_us,
                cut_off=self._cut_off,
                sample_rate_hz=sample_rate_hz,
                frame_ms=frame_ms,
                quality_every_us=quality_every_us,
            )
        )
        self._listeners: dict[str, tuple[Voice, asyncio.Task[None]]] = {}
        self._cuts: list[tuple[int, int]] = []
        self._cut_since_us: int | None = None

    @property
    def tracks(self) -> int:
        return self._voices.count

    def knows(self, publication: rtc.TrackPublication) -> bool:
        """Whether its audio is being read."""
        return publication.sid in self._listeners

    def begin(
        self,
        track: rtc.Track,
        publication: rtc.TrackPublication,
        participant: rtc.Participant,
        role: Role,
    ) -> None:
        voice = self._voices.feed(publication, participant, role)
        if publication.muted:
            voice.gaps.mute(self._now_us())
        listener = self._spawn(voice.listen(track, publication.sid))
        self._listeners[publication.sid] = (voice, listener)

    def end(self, publication: rtc.TrackPublication) -> None:
        self._end(publication.sid)

    def end_all(self) -> None:
        """The connection that all of it came by is gone."""
        for sid in list(self._listeners):
            self._end(sid)

    def _end(self, sid: str) -> None:
        voice, listener = self._listeners.pop(sid, (None, None))
        if voice is not None and listener is not None:
            voice.feed = None
            self._spawn(_end(listener))

    def mute(self, publication: rtc.TrackPublication, *, muted: bool) -> None:
        voice, _ = self._listeners.get(publication.sid, (None, None))
        if voice is None:
            return
        if muted:
            voice.gaps.mute(self._now_us())
        else:
            voice.gaps.unmute(self._now_us())

    def cut(self) -> None:
        """The recorder lost its connection."""
        if self._cut_since_us is None:
            self._cut_since_us = self._now_us()

    def restored(self) -> None:
        """It has it again, or will never have it again."""
        if self._cut_since_us is not None:
            self._cuts.append((self._cut_since_us, self._now_us()))
            self._cut_since_us = None

    def _cut_off(self, start_us: int, end_us: int) -> bool:
        if self._cut_since_us is not None and self._cut_since_us < end_us:
            return True
        return any(
            since < end_us and start_us < until + _AFTERMATH_US for since, until in self._cuts
        )


async def drain() -> None:
    """Let what was received be written."""
    for _ in range(_DRAIN_TURNS):
        await asyncio.sleep(0)


async def _end(listener: asyncio.Task[None]) -> None:
    """Frames that arrived before the track ended are still written."""
    await drain()
    listener.cancel()
