"""Two people who talk by turns for as long as they are asked to, in a process of their own.

Usage: python -m tests.live.talkers ROOM SECONDS OUT. What they sent is written to OUT as JSON: the
unix time in microseconds at which each turn's first sample was due, by identity.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from livekit import rtc

from lkgate.record import Credentials
from tests.live.people import Person

RATE = 24_000
FRAME = RATE // 20  # 50 ms
# Enough for a machine that does something else for a while.
QUEUE_MS = 500
EVERY_S, TURN_S = 8, 3
# Seconds into the eight at which each of them begins.
BEGINS = {"ann": 1, "bot": 5}
TOPIC = "count"
NUMBERS = 1_000


async def main(name: str, seconds: float, out: Path) -> None:
    credentials = Credentials.read(os.environ)
    ann = Person(credentials, name, "ann", "standard")
    bot = Person(credentials, name, "bot", "agent")
    for person in (bot, ann):
        await person.join()
    # A caller's line is never quite silent. An agent's is between its words, and is not sent then.
    rng = np.random.default_rng(1)
    hiss = rng.integers(-40, 40, FRAME).astype(np.int16)
    lines = {"ann": hiss, "bot": np.zeros(FRAME, np.int16)}
    sent = await asyncio.gather(*(_talk(who, lines[who.identity], seconds) for who in (ann, bot)))
    await asyncio.gather(ann.leave(), bot.leave())
    out.write_text(json.dumps(dict(zip(("ann", "bot"), sent, strict=True))))


async def _talk(
    who: Person, line: np.ndarray[tuple[int], np.dtype[np.int16]], seconds: float
) -> list[int]:
    assert who.room is not None
    source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
    track = rtc.LocalAudioTrack.create_audio_track("mic", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    publication = await who.room.local_participant.publish_track(track, options)
    tone = (9_000 * np.sin(2 * np.pi * 440 * np.arange(FRAME) / RATE)).astype(np.int16)
    a_second = RATE // FRAME
    sent = []
    for number in range(round(seconds) * a_second):
        place = number % (EVERY_S * a_second) - BEGINS[who.identity] * a_second
        if place == 0:
            sent.append(time.time_ns() // 1_000 + int(source.queued_duration * 1e6))
        loud = 0 <= place < TURN_S * a_second
        frame = rtc.AudioFrame((tone if loud else line).tobytes(), RATE, 1, FRAME)
        await source.capture_frame(frame)
        if number % a_second == 0:
            # Its number is its size: what was said is not kept.
            size = number // a_second % NUMBERS + 1
            await who.room.local_participant.publish_data(bytes(size), topic=TOPIC)
    await who.room.local_participant.unpublish_track(publication.sid)
    await source.aclose()
    return sent


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])))
