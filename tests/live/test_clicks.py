"""A click train published at known times, and where the recording has it."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

from lkgate.bundle import read, read_pcm
from lkgate.record import RecordOptions, record_room
from tests.live.conftest import LiveServer
from tests.live.people import Kind, token

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

CLICK_MS = 20
EVERY_SECONDS = 1.0
SECONDS = 25


async def click(room: rtc.Room, rate: int, sent_us: list[int]) -> None:
    """Publish a click each second; note the wall clock at which its first sample was due."""
    source = rtc.AudioSource(rate, 1, queue_size_ms=50)
    track = rtc.LocalAudioTrack.create_audio_track("mic", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    size = rate // 100
    every = round(EVERY_SECONDS * 100)
    tone = (16_000 * np.sin(2 * np.pi * 1_000 * np.arange(size) / rate)).astype(np.int16)
    # Not digital silence: discontinuous transmission would leave the pauses out.
    noise = np.random.default_rng(1).integers(-90, 90, size).astype(np.int16)
    for number in range(round(SECONDS * 100)):
        place = number % every - every // 2
        if place == 0:
            sent_us.append(time.time_ns() // 1_000 + int(source.queued_duration * 1e6))
        loud = 0 <= place < CLICK_MS // 10
        frame = rtc.AudioFrame((tone if loud else noise).tobytes(), rate, 1, size)
        await source.capture_frame(frame)


def clicks_us(pcm: np.ndarray[tuple[int], np.dtype[np.int16]], rate: int, offset: int) -> list[int]:
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 4_000)
    first = loud[np.diff(loud, prepend=-rate) > rate // 4]
    return [offset + int(sample) * 1_000_000 // rate for sample in first]


def test_where_a_track_begins_is_known_to_20_ms(
    live_server: LiveServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    credentials = live_server.credentials
    name = f"clicks-{uuid.uuid4().hex[:8]}"
    sent: dict[str, list[int]] = {"bot": [], "ann": [], "bea": []}
    rates = {"bot": 24_000, "ann": 48_000, "bea": 16_000}

    async def play() -> None:
        rooms = {who: rtc.Room() for who in sent}
        for who, room in rooms.items():
            kind: Kind = "agent" if who == "bot" else "standard"
            await room.connect(credentials.url, token(credentials, name, who, kind))
        recording = asyncio.create_task(
            record_room(RecordOptions(name, tmp_path / "call", credentials))
        )
        await asyncio.sleep(1)
        await asyncio.gather(*(click(rooms[who], rates[who], sent[who]) for who in sent))
        await asyncio.gather(*(room.disconnect() for room in rooms.values()))
        await recording

    asyncio.run(asyncio.wait_for(play(), 100))
    bundle = read(tmp_path / "call")
    began_us = bundle.manifest.started_at_unix_us
    assert began_us is not None
    for track in bundle.manifest.tracks:
        due = [at - began_us for at in sent[track.participant]]
        pcm = read_pcm(tmp_path / "call", track)
        heard = clicks_us(pcm, track.sample_rate_hz, track.offset_us)
        assert len(due) - 1 <= len(heard) <= len(due)  # a late subscriber may miss the first
        due = due[len(due) - len(heard) :]
        late_ms = [(h - d) / 1_000 for h, d in zip(heard, due, strict=True)]
        x = np.array(due) / 1e6
        ppm = float(np.polyfit(x, np.array(late_ms) / 1e3, 1)[0] * 1e6)
        with capsys.disabled():
            print(
                f"\n{track.id} ({rates[track.participant]} Hz): offset "
                f"{statistics.median(late_ms):+.1f} ms (from {min(late_ms):+.1f} to "
                f"{max(late_ms):+.1f}), first {late_ms[0]:+.1f}, drift {ppm:+.0f} ppm over "
                f"{x[-1] - x[0]:.0f} s"
            )
        assert abs(statistics.median(late_ms)) <= 20
        assert abs(late_ms[0]) <= 20
