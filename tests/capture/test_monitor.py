from __future__ import annotations

import asyncio
from typing import cast

from livekit import rtc

from lkgate.capture.fields import Fields
from lkgate.capture.gap import Gaps
from lkgate.capture.monitor import Monitor
from lkgate.capture.timeline import Timeline

FRAME = bytes(4_800)
FRAME_US = 100_000


class FakeTrack:
    """Statistics as of a track that receives 20 ms packets through a buffer of ``buffer_ms``."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.buffered = 0.0
        self.concealed = 0
        self.broken = False
        self.asked = 0

    def receive(self, seconds: float, buffer_ms: float) -> None:
        self.seconds += seconds
        self.buffered += seconds * 48_000 * buffer_ms / 1_000

    async def get_stats(self) -> list[rtc.stats.RtcStats]:
        self.asked += 1
        if self.broken:
            raise RuntimeError("the peer connection is closed")
        stats = rtc.stats.RtcStats()
        emitted = round(self.seconds * 48_000)
        stats.inbound_rtp.received.packets_received = round(self.seconds * 50)
        stats.inbound_rtp.inbound.total_samples_received = emitted + self.concealed
        stats.inbound_rtp.inbound.jitter_buffer_emitted_count = emitted
        stats.inbound_rtp.inbound.concealed_samples = self.concealed
        stats.inbound_rtp.inbound.jitter_buffer_delay = self.buffered
        codec = rtc.stats.RtcStats()
        codec.codec.codec.mime_type = "audio/opus"
        return [stats, codec]


class Scene:
    def __init__(self) -> None:
        self.noted: list[tuple[str, Fields]] = []
        self.track = FakeTrack()
        self.timeline = Timeline(24_000)
        self.now_us = 0
        self.monitor = Monitor(
            cast(rtc.Track, self.track),
            about={"track": "caller"},
            note=lambda kind, data: self.noted.append((kind, data)),
            gaps=Gaps(
                "caller",
                note=lambda kind, data: self.noted.append((kind, data)),
                cut_off=lambda start, end: False,
            ),
            every_us=5_000_000,
            since_us=0,
        )

    async def hear(self, frames: int, buffer_ms: float = 30, concealed: int = 0) -> None:
        for _ in range(frames):
            self.now_us += FRAME_US
            if concealed:
                self.track.concealed += concealed
            else:
                self.track.receive(0.1, buffer_ms)
            await self.monitor.look(self.now_us, self.timeline)
            self.timeline.push(self.now_us, FRAME)

    def of(self, kind: str) -> list[Fields]:
        return [data for noted, data in self.noted if noted == kind]


def test_the_delay_is_the_buffer_and_the_path() -> None:
    scene = Scene()
    assert scene.monitor.delay_us is None
    asyncio.run(scene.hear(3, buffer_ms=80))
    assert scene.monitor.delay_us == 80_000 + 10_000 + 6_500


def test_quality_is_noted_every_five_seconds_and_at_the_end() -> None:
    scene = Scene()

    async def play() -> None:
        await scene.hear(120)
        scene.monitor.end(scene.now_us, scene.timeline)

    asyncio.run(play())
    assert [data["interval_us"] for data in scene.of("lkgate.media_quality")] == [
        5_000_000,
        5_000_000,
        2_000_000,
    ]
    assert scene.of("lkgate.media_quality")[1] == {
        "track": "caller",
        "interval_us": 5_000_000,
        "packets_received": 250,
        "packets_lost": 0,
        "jitter_us": 0,
        "round_trip_us": None,
        "samples": 240_000,
        "concealed_samples": 0,
        "jitter_buffer_delay_us": 30_000,
        "delay_us": 46_500,
        "segment": 1,
        "lag_us": 0,
    }


def test_statistics_that_do_not_come_are_absent() -> None:
    scene = Scene()

    async def play() -> None:
        await scene.hear(50)
        scene.track.broken = True
        await scene.hear(50)

    asyncio.run(play())
    _, absent = scene.of("lkgate.media_quality")
    assert {key for key, value in absent.items() if value is None} == {
        "packets_received",
        "packets_lost",
        "jitter_us",
        "round_trip_us",
        "samples",
        "concealed_samples",
        "jitter_buffer_delay_us",
    }


def test_it_looks_rarely_until_the_delay_changes() -> None:
    scene = Scene()

    async def asked(frames: int, buffer_ms: float) -> int:
        before = scene.track.asked
        await scene.hear(frames, buffer_ms)
        return scene.track.asked - before

    async def play() -> tuple[int, int, int]:
        await asked(50, 30)
        return await asked(50, 30), await asked(10, 90), await asked(20, 90)

    calm, disturbed, after = asyncio.run(play())
    assert calm == 10
    assert disturbed >= 5
    assert after <= 12


def test_what_is_made_up_is_a_gap_but_not_at_the_beginning() -> None:
    scene = Scene()

    async def play() -> None:
        await scene.hear(3, concealed=4_800)
        await scene.hear(47)
        await scene.hear(10, concealed=4_800)
        await scene.hear(10)
        scene.monitor.end(scene.now_us, scene.timeline)

    asyncio.run(play())
    (gap,) = scene.of("lkgate.gap")
    assert (gap["cause"], gap["missing_us"]) == ("late", 1_000_000)
    assert gap["start_us"] == 5_000_000 - 46_500
