"""Calls that talk without a pause, in a process of their own, each with numbered messages.

Usage: python -m tests.benchmarks.rooms NAME COUNT SECONDS. Rooms are NAME-0, NAME-1, ...
"""

from __future__ import annotations

import asyncio
import os
import sys

import numpy as np
from livekit import rtc

from lkgate.record import Credentials
from tests.live.people import Person

RATE = 24_000
# 50 ms: what it costs to speak is not what is measured.
FRAME = RATE // 20
MESSAGES_PER_SECOND = 5
TOPIC = "count"


async def main(name: str, count: int, seconds: float) -> None:
    credentials = Credentials.read(os.environ)
    rooms = [f"{name}-{number}" for number in range(count)]
    people = [Person(credentials, room, "bot", "agent") for room in rooms]
    people += [Person(credentials, room, "ann", "standard") for room in rooms]
    for person in people:
        await person.join()
    await asyncio.gather(*(_speak(person, seconds) for person in people))
    await asyncio.gather(*(person.leave() for person in people))


async def _speak(person: Person, seconds: float) -> None:
    assert person.room is not None
    source = rtc.AudioSource(RATE, 1, queue_size_ms=500)
    track = rtc.LocalAudioTrack.create_audio_track("mic", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await person.room.local_participant.publish_track(track, options)
    counting = asyncio.create_task(_count(person.room, seconds))
    # Noise: it is neither silence to a codec nor cheap for one.
    noise = np.random.default_rng(1).normal(0, 3_000, FRAME).astype(np.int16).tobytes()
    frame = rtc.AudioFrame(noise, RATE, 1, FRAME)
    for _ in range(round(seconds * RATE / FRAME)):
        await source.capture_frame(frame)
    await counting


async def _count(room: rtc.Room, seconds: float) -> None:
    for number in range(round(seconds * MESSAGES_PER_SECOND)):
        # Its number is its size: what was said is not kept.
        await room.local_participant.publish_data(bytes(number + 1), topic=TOPIC)
        await asyncio.sleep(1 / MESSAGES_PER_SECOND)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
