"""Click trains: sound of which every participant of a test knows when it was made.

Usage: python clicks.py ROOM IDENTITY SECONDS. A participant in a process of its own, to be
stopped; the server and the key are in the environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from livekit import rtc

from lkgate.bundle import read_pcm
from lkgate.model.bundle import Track
from lkgate.record import Credentials
from tests.live.people import QUEUE_MS, token

CLICK_MS = 20
_LOUD = 4_000


@dataclass
class ClickTrain:
    """A click every ``every_s`` over faint noise: silence would not be sent at all.

    Attributes:
        sent_us: unix time at which each click's first sample was due.
    """

    rate: int = 48_000
    every_s: float = 0.5
    sent_us: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._source = rtc.AudioSource(self.rate, 1, queue_size_ms=QUEUE_MS)

    async def publish(
        self,
        room: rtc.Room,
        source: rtc.TrackSource.ValueType = rtc.TrackSource.SOURCE_MICROPHONE,
        *,
        name: str = "mic",
    ) -> tuple[rtc.LocalAudioTrack, str]:
        """A new track of this sound, and its sid."""
        track = rtc.LocalAudioTrack.create_audio_track(name, self._source)
        options = rtc.TrackPublishOptions(source=source)
        publication = await room.local_participant.publish_track(track, options)
        return track, publication.sid

    async def play(self, seconds: float) -> None:
        size = self.rate // 100
        every = round(self.every_s * 100)
        wave = np.sin(2 * np.pi * 1_000 * np.arange(size) / self.rate)
        tone = (16_000 * wave).astype(np.int16)
        noise = np.random.default_rng(1).integers(-90, 90, size).astype(np.int16)
        for number in range(round(seconds * 100)):
            place = number % every - every // 2
            if place == 0:
                queued_us = int(self._source.queued_duration * 1e6)
                self.sent_us.append(time.time_ns() // 1_000 + queued_us)
            loud = 0 <= place < CLICK_MS // 10
            frame = rtc.AudioFrame((tone if loud else noise).tobytes(), self.rate, 1, size)
            await self._source.capture_frame(frame)


def heard_us(bundle: Path, track: Track, began_us: int) -> list[int]:
    """Unix time of the first sample of every click on a recorded track."""
    rate = track.sample_rate_hz
    loud = np.flatnonzero(np.abs(read_pcm(bundle, track).astype(np.int32)) > _LOUD)
    first = loud[np.diff(loud, prepend=-rate) > rate // 5]
    return [began_us + track.offset_us + int(s) * 1_000_000 // rate for s in first]


def errors_ms(heard: list[int], sent: list[int]) -> list[float]:
    """By how much each click that was heard lies after the one that was sent nearest to it."""
    return [(at - min(sent, key=lambda due: abs(at - due))) / 1_000 for at in heard]


async def main() -> None:
    name, identity, seconds = sys.argv[1:]
    credentials = Credentials.read(os.environ)
    room = rtc.Room()
    await room.connect(credentials.url, token(credentials, name, identity))
    train = ClickTrain()
    await train.publish(room)
    await train.play(float(seconds))
    await room.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
