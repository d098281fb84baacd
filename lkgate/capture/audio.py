"""One voice's audio: frames of an ``rtc.AudioStream``, appended to a track of the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from livekit import rtc

from lkgate.bundle.journal import Journal, TrackWriter
from lkgate.capture.alignment import Alignment
from lkgate.capture.fields import Fields, source_of
from lkgate.capture.gap import Gaps
from lkgate.capture.monitor import Monitor
from lkgate.capture.timeline import Placed, Timeline
from lkgate.model.bundle import Role


@dataclass(frozen=True, slots=True)
class Ear:
    """How audio is read, the same for every voice.

    Attributes:
        journal: written to.
        note: writes an event.
        now_us: session time.
        cut_off: whether the recorder had no connection at some time of a stretch.
        sample_rate_hz, frame_ms: of the audio, as read and as stored.
        quality_every_us: in a real room, how often to note the media's quality; ``None`` where
            audio comes without loss and delay.
    """

    journal: Journal
    note: Callable[[str, Fields], None]
    now_us: Callable[[], int]
    cut_off: Callable[[int, int], bool]
    sample_rate_hz: int
    frame_ms: int
    quality_every_us: int | None


class Voice:
    """A track of the journal, fed by one stream after another (a track can be resubscribed).

    ``feed`` is the sid of the publication that feeds it now, ``None`` if it is free for another.
    Nothing is written before the first frames could be placed, so a track that never carried
    audio leaves no file.
    """

    def __init__(self, ear: Ear, *, track_id: str, role: Role, participant: str, sid: str):
        self.track_id = track_id
        self.feed: str | None = None
        self.gaps = Gaps(track_id, note=ear.note, cut_off=ear.cut_off)
        self._ear = ear
        self._role = role
        self._participant = participant
        self._sid = sid
        self._rate = ear.sample_rate_hz
        self._timeline = Timeline(self._rate)
        self._alignment: Alignment | None = None
        if ear.quality_every_us is not None:
            self._alignment = Alignment(self._rate)
        self._delays: list[int | None] = []
        self._offset_us = 0
        self._writer: TrackWriter | None = None
        self._turn = asyncio.Lock()

    async def listen(self, track: rtc.Track, sid: str) -> None:
        """Write the audio of publication ``sid`` until it ends or the task is cancelled.

        A second stream waits until the first has written its last frames.
        """
        async with self._turn:
            try:
                await self._listen(track, sid)
            finally:
                if self.feed == sid:
                    self.feed = None

    async def _listen(self, track: rtc.Track, sid: str) -> None:
        ear = self._ear
        stream = rtc.AudioStream(
            track, sample_rate=self._rate, num_channels=1, frame_size_ms=ear.frame_ms
        )
        monitor: Monitor | None = None
        if ear.quality_every_us is not None:
            monitor = Monitor(
                track,
                about={"track": self.track_id, "identity": self._participant, "track_sid": sid},
                note=ear.note,
                gaps=self.gaps,
                every_us=ear.quality_every_us,
                since_us=ear.now_us(),
            )
        cause: Literal["unsubscribed", "late"] = "unsubscribed"
        try:
            async for event in stream:
                now_us, pcm = ear.now_us(), bytes(event.frame.data)
                begins = self._alignment is not None and self._alignment.begins(pcm)
                try:
                    if monitor is not None:
                        await monitor.look(now_us, self._timeline, begins=begins)
                finally:  # also if the recording ends meanwhile
                    if monitor is not None:
                        self._delays.append(self._delay_us(monitor))
                    placed = self._timeline.push(now_us, pcm)
                    if placed is not None:
                        self._write(placed, cause)
                        cause = "late"
        finally:
            placed = self._timeline.flush()
            if placed is not None:
                self._write(placed, cause)
            if monitor is not None:
                monitor.end(ear.now_us(), self._timeline)
            self.gaps.end(ear.now_us())
            await stream.aclose()

    def _delay_us(self, monitor: Monitor) -> int | None:
        """How much later than it sounded the audio lies where counting would place it."""
        if monitor.delay_us is None:
            return None
        return monitor.delay_us - (self._timeline.lag_us or 0)

    def _write(self, placed: Placed, cause: Literal["unsubscribed", "late"]) -> None:
        delays, self._delays = self._delays[-len(placed.frames) :], []
        known = next((delay_us for delay_us in delays if delay_us is not None), None)
        if self._writer is None:
            self._writer = self._begin(known)
        silence = placed.silence_samples
        if silence and self._alignment is not None:
            silence = self._alignment.fill(silence, known)
        if silence:
            start = self._writer.samples
            self._writer.write(bytes(2 * silence))
            self.gaps.silence(cause, self._time_us(start), self._time_us(start + silence))
        for number, frame in enumerate(placed.frames):
            if self._alignment is not None:
                frame = self._alignment.move(frame, delays[number])
            self._writer.write(frame)

    def _begin(self, delay_us: int | None) -> TrackWriter:
        offset_us = self._timeline.offset_us
        assert offset_us is not None  # frames were placed, so their beginning is known
        if self._alignment is not None:
            self._alignment.start(delay_us)
            offset_us -= self._alignment.shift_us
        self._offset_us = offset_us
        return self._ear.journal.track(
            self.track_id,
            role=self._role,
            participant=self._participant,
            sid=self._sid,
            sample_rate_hz=self._rate,
            offset_us=offset_us,
        )

    def _time_us(self, sample: int) -> int:
        return self._offset_us + sample * 1_000_000 // self._rate


class Voices:
    """Which voice an audio publication feeds.

    Every audio track has its own, and an id by its role: ``agent``, ``agent-2``, ... A microphone
    that is published anew by the same participant goes on in the same voice, after a gap.
    """

    def __init__(self, ear: Ear):
        self._ear = ear
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
                self._ear,
                track_id=role if number == 1 else f"{role}-{number}",
                role=role,
                participant=participant.identity,
                sid=publication.sid,
            )
            voices.append(voice)
        voice.feed = publication.sid
        return voice
