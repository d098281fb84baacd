"""A room of two people at simulated time, recorded as a real one is: hours of it in seconds.

Usage: python -m tests.capture.day DIRECTORY HOURS PPM. Writes the journal, then closes it in a
process of its own, and prints what it cost as JSON. PPM: by how much the caller's samples come too
fast.

Every minute each of the two sounds a burst, 10 s and 40 s into it. The caller is muted for a while
in every hour, publishes the microphone anew, loses packets, and the recorder is cut off; how long
sound is buffered changes all the time.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from livekit import rtc

from lkgate.bundle import Journal, close_journal
from lkgate.capture import RoomCapture
from tests.capture.test_room import AGENT, FakeParticipant, FakePublication, FakeRoom

RATE = 24_000
FRAME = RATE // 10
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
BURST_US = 300_000
QUALITY_EVERY_US = 5_000_000
BURST_AT_US = {"ann": 10 * SECOND_US, "bot": 40 * SECOND_US}
CUT_US = 2_000_000
# WebRTC's path of packets of 20 ms, and Opus.
PATH_US = 16_500


@cache
def quiet(hiss: int) -> bytes:
    rng = np.random.default_rng(hiss)
    return rng.integers(-hiss, hiss + 1, FRAME).astype(np.int16).tobytes()


@cache
def tone() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    at = np.arange(BURST_US * RATE // SECOND_US) / RATE
    return (9_000 * np.cos(2 * np.pi * 500 * at)).astype(np.int16)


@dataclass(eq=False)
class Line:
    """A track whose frames are made when they are due.

    Attributes:
        buffer_us: for how long sound waits in the jitter buffer.
        frame_us: how long a frame of a tenth of a second takes to come.
    """

    who: str
    begun_us: int
    frame_us: float
    hiss: int
    count: int = 0
    buffer_us: int = 40_000
    packets: int = 0
    samples: int = 0
    emitted: int = 0
    concealed: int = 0
    lost: int = 0
    buffered_s: float = 0.0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Future[bytes | None] | None = None

    @property
    def due_us(self) -> int:
        return self.begun_us + round((self.count + 1) * self.frame_us)

    async def get_stats(self) -> list[rtc.stats.RtcStats]:
        inbound, codec = rtc.stats.RtcStats(), rtc.stats.RtcStats()
        inbound.inbound_rtp.received.packets_received = self.packets
        inbound.inbound_rtp.received.packets_lost = self.lost
        counted = inbound.inbound_rtp.inbound
        counted.total_samples_received = self.samples
        counted.jitter_buffer_emitted_count = self.emitted
        counted.concealed_samples = self.concealed
        counted.jitter_buffer_delay = self.buffered_s
        codec.codec.codec.mime_type = "audio/opus"
        return [inbound, codec]

    def frame(self) -> bytes:
        """The next one."""
        begin_us = self.begun_us + self.count * self.frame_us
        minute_us = begin_us // MINUTE_US * MINUTE_US
        burst_us = minute_us + BURST_AT_US[self.who] + self.buffer_us + PATH_US
        at = round((burst_us - begin_us) / self.frame_us * FRAME)
        pcm = quiet(self.hiss)
        sounding = -len(tone()) < at < FRAME
        if sounding:
            mixed = np.frombuffer(pcm, np.int16).copy()
            first, last = max(0, at), min(FRAME, at + len(tone()))
            mixed[first:last] = tone()[first - at : last - at]
            pcm = mixed.tobytes()
        self.count += 1
        self.samples += 4_800
        if self.hiss or sounding:
            self.packets += 5
            self.emitted += 4_800
            self.buffered_s += 4_800 * self.buffer_us / SECOND_US
        elif self.count % 4 == 0:  # as Opus does, to say that there is nothing
            self.packets += 1
        return pcm

    def lose(self) -> None:
        """60 ms of it, in three packets."""
        self.concealed += 2_880
        self.lost += 3

    async def hear(self) -> None:
        """Give the next frame to who reads, and wait until another is asked for."""
        assert self.waiting is not None
        self.idle.clear()
        self.waiting.set_result(self.frame())
        await self.idle.wait()


class LineStream:
    """``rtc.AudioStream`` of a line."""

    def __init__(self, track: Line, *, sample_rate: int, num_channels: int, frame_size_ms: int):
        assert (sample_rate, num_channels, frame_size_ms) == (RATE, 1, 100)
        self._line = track

    def __aiter__(self) -> LineStream:
        return self

    async def __anext__(self) -> rtc.AudioFrameEvent:
        self._line.waiting = asyncio.get_running_loop().create_future()
        self._line.idle.set()
        pcm = await self._line.waiting
        assert pcm is not None
        return rtc.AudioFrameEvent(rtc.AudioFrame(pcm, RATE, 1, FRAME))

    async def aclose(self) -> None:
        pass


class Day:
    """The room, its clock, and what happens in it."""

    def __init__(self, directory: Path, ppm: float):
        self.now_us = 0
        self.room = FakeRoom()
        self.ann = FakeParticipant("ann")
        self.bot = FakeParticipant("bot", AGENT)
        self.journal = Journal.create(
            directory, header={"id": "day", "source": "record", "started_at_unix_us": 0}
        )
        self.capture = RoomCapture(
            cast(rtc.Room, self.room),
            self.journal,
            now_us=lambda: self.now_us,
            quality_every_us=QUALITY_EVERY_US,
        )
        self._events = directory / "journal" / "events.jsonl"
        self._chance = random.Random(1)
        self._frame_us = 100_000 / (1 + ppm / 1e6)
        self._lines: dict[str, Line] = {}
        self._done: set[str] = set()

    async def live(self, hours: int) -> list[dict[str, float]]:
        """What each half hour cost."""
        self.capture.start()
        self.room.join(self.bot)
        self.room.join(self.ann)
        await self._publish(self.bot, 0)
        await self._publish(self.ann, 0)
        costs = []
        for half in range(2 * hours):
            began_s, size = time.process_time(), self._size()
            await self._until((half + 1) * HOUR_US // 2)
            costs.append(
                {
                    "cpu_s": time.process_time() - began_s,
                    "peak_mb": peak_mb(),
                    "event_bytes": self._size() - size,
                }
            )
        await self.capture.aclose()
        self.journal.finish(duration_us=self.now_us)
        return costs

    async def _until(self, end_us: int) -> None:
        second = self.now_us // SECOND_US
        while True:
            line = min(self._lines.values(), key=lambda line: line.due_us)
            if line.due_us > end_us:
                break
            # A frame may be read a little later than it was due.
            self.now_us = max(self.now_us, line.due_us + self._chance.randrange(8_000))
            await line.hear()
            while second < line.due_us // SECOND_US:
                second += 1
                await self._happen(second)

    async def _happen(self, second: int) -> None:
        """What a second brings besides sound."""
        hour, minute, at = second // 3_600, second // 60 % 60, second % 60
        ann = self.ann.track_publications["TR_ann"]
        if second % 2 == 0:
            packet = rtc.DataPacket(
                data=b"x" * 100,
                kind=rtc.DataPacketKind.KIND_RELIABLE,
                participant=cast(rtc.RemoteParticipant, self.bot),
                topic="state",
            )
            self.room.emit("data_received", packet)
        if second % 10 == 0:
            about = {"lk.segment_id": f"SG_{second}", "lk.transcription_final": "true"}
            self.room.text("ann", "lk.transcription", "Words that were ", "said.", **about)
        if at == 0:
            self.journal.sync()
        if at == 25:
            for line in self._lines.values():
                line.buffer_us = min(
                    120_000, max(20_000, line.buffer_us + self._chance.randint(-30_000, 30_000))
                )
        if at == 30 and minute % 7 == 0:
            self._lines["ann"].lose()
        if (minute, at) == (20, 15):
            self.room.emit("track_muted", self.ann, ann)
        if (minute, at) == (20, 20):
            self.room.emit("track_unmuted", self.ann, ann)
        if (minute, at) == (30, 45):
            await self._cut()
        if (minute, at) == (45, 20):
            self.room.unpublish(self.ann, ann)
            for _ in range(60):
                await asyncio.sleep(0)
            await self._publish(self.ann, (hour * 60 + minute) * MINUTE_US + 23 * SECOND_US)

    async def _cut(self) -> None:
        """The recorder has no connection for a while: nothing comes, and nothing is made up for."""
        self.room.emit("reconnecting")
        await asyncio.sleep(0)
        for line in self._lines.values():
            line.begun_us += CUT_US
        self.now_us += CUT_US
        self.room.emit("reconnected")
        await asyncio.sleep(0)

    async def _publish(self, who: FakeParticipant, begun_us: int) -> None:
        name = who.identity
        publication = FakePublication(f"TR_{name}")
        who.track_publications[publication.sid] = publication
        self.room.emit("track_published", publication, who)
        caller = name == "ann"
        line = Line(name, begun_us, self._frame_us if caller else 100_000, 40 if caller else 0)
        self.room.emit("track_subscribed", line, publication, who)
        publication.track = cast(None, line)
        self._lines[name] = line
        await line.idle.wait()

    def _size(self) -> int:
        self.journal.sync()
        return self._events.stat().st_size


def peak_mb() -> float:
    """The most memory that this process ever had."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage tells on Linux includes the process that started this one.
        (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
        return int(line.split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    directory = Path(sys.argv[1])
    if len(sys.argv) == 2:
        before_mb, began_s = peak_mb(), time.process_time()
        close_journal(directory, directory / "bundle")
        cost = {"cpu_s": time.process_time() - began_s, "before_mb": before_mb}
        print(json.dumps({**cost, "peak_mb": peak_mb()}))
        return
    rtc.AudioStream = LineStream  # type: ignore[assignment, misc]
    halves = asyncio.run(Day(directory, float(sys.argv[3])).live(int(sys.argv[2])))
    again = [sys.executable, "-m", "tests.capture.day", str(directory)]
    closed = json.loads(subprocess.run(again, check=True, capture_output=True, text=True).stdout)
    print(json.dumps({"half_hours": halves, "closed": closed}))


if __name__ == "__main__":
    main()
