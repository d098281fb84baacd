"""One voice's audio: frames of an ``rtc.AudioStream``, appended to a track of the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from livekit import rtc

from lkgate.bundle.journal import Journal, TrackWriter
from lkgate.capture.fields import source_of
from lkgate.capture.timeline import Placed, Timeline
from lkgate.model.bundle import Role

GapCause = Literal["late", "unsubscribed"]


class Voice:
    """A track of the journal, fed by one stream after another (a track can be resubscribed).

    ``feed`` is the sid of the publication that feeds it now, ``None`` if it is free for another.
    Nothing is written before the first frames could be placed, so a track that never carried
    audio leaves no file.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        track_id: str,
        role: Role,
        participant: str,
        sid: str,
        sample_rate_hz: int,
        frame_ms: int,
        now_us: Callable[[], int],
    ):
        self.track_id = track_id
        self.feed: str | None = None
        self._journal = journal
        self._role = role
        self._participant = participant
        self._sid = sid
        self._rate = sample_rate_hz
        self._frame_ms = frame_ms
        self._now_us = now_us
        self._timeline = Timeline(sample_rate_hz)
        self._writer: TrackWriter | None = None
        self._turn = asyncio.Lock()

    async def listen(self, track: rtc.Track, sid: str) -> None:
        """Write the audio of publication ``sid`` until it ends or the task is cancelled.

        A second stream waits until the first has written its last frames.
        """
        async with self._turn:
            try:
                await self._listen(track)
            finally:
                if self.feed == sid:
                    self.feed = None

    async def _listen(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(
            track, sample_rate=self._rate, num_channels=1, frame_size_ms=self._frame_ms
        )
        cause: GapCause = "unsubscribed"
        try:
            async for event in stream:
                placed = self._timeline.push(self._now_us(), bytes(event.frame.data))
                if placed is not None:
                    self._write(placed, cause)
                    cause = "late"
        finally:
            placed = self._timeline.flush()
            if placed is not None:
                self._write(placed, cause)
            await stream.aclose()

    def _write(self, placed: Placed, cause: GapCause) -> None:
        if self._writer is None:
            offset_us = self._timeline.offset_us
            assert offset_us is not None  # frames were placed, so their beginning is known
            self._writer = self._journal.track(
                self.track_id,
                role=self._role,
                participant=self._participant,
                sid=self._sid,
                sample_rate_hz=self._rate,
                offset_us=offset_us,
            )
        if placed.silence_samples:
            written = self._writer.samples
            self._writer.write(bytes(2 * placed.silence_samples))
            self._journal.event(
                self._now_us(),
                "lkgate.gap",
                {
                    "track": self.track_id,
                    "cause": cause,
                    "start_us": self._time_us(written),
                    "end_us": self._time_us(written + placed.silence_samples),
                },
            )
        for frame in placed.frames:
            self._writer.write(frame)

    def _time_us(self, sample: int) -> int:
        return (self._timeline.offset_us or 0) + sample * 1_000_000 // self._rate


class Voices:
    """Which voice an audio publication feeds.

    Every audio track has its own, and an id by its role: ``agent``, ``agent-2``, ... A microphone
    that is published anew by the same participant goes on in the same voice, after a gap.
    """

    def __init__(
        self, journal: Journal, *, sample_rate_hz: int, frame_ms: int, now_us: Callable[[], int]
    ):
        self._journal = journal
        self._sample_rate_hz = sample_rate_hz
        self._frame_ms = frame_ms
        self._now_us = now_us
        self._voices: dict[tuple[str, str, str], list[Voice]] = {}
        self._numbers: dict[Role, int] = {}

    @property
    def count(self) -> int:
        return sum(self._numbers.values())

    def feed(
        self, publication: rtc.TrackPublication, participant: rtc.Participant, role: Role
    ) -> Voice:
        """The voice for ``publication``, marked as fed by it."""
        key = (participant.identity, source_of(publication), publication.name)
        voices = self._voices.setdefault(key, [])
        voice = next((voice for voice in voices if voice.feed is None), None)
        if voice is None:
            number = self._numbers[role] = self._numbers.get(role, 0) + 1
            voice = Voice(
                self._journal,
                track_id=role if number == 1 else f"{role}-{number}",
                role=role,
                participant=participant.identity,
                sid=publication.sid,
                sample_rate_hz=self._sample_rate_hz,
                frame_ms=self._frame_ms,
                now_us=self._now_us,
            )
            voices.append(voice)
        voice.feed = publication.sid
        return voice
