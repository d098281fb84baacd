"""``rtc.AudioSource``: a queue that plays at the pace of the clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from lkgate.harness.room.sound import Timeline


class Source:
    """What a source has queued, and its owner's wait for room in it."""

    def __init__(self, rate_hz: int, channels: int, queue_ms: int) -> None:
        self._loop = asyncio.get_event_loop()
        self.timeline = Timeline(rate_hz, channels, self._loop.time())
        self._queue = rate_hz * queue_ms // 1000
        self._waiting: set[asyncio.Future[None]] = set()

    async def capture(self, samples: NDArray[np.int16]) -> None:
        """Queue a frame; returns once no more is queued than may be."""
        over = self.timeline.write(self._loop.time(), samples) - self._queue
        if over <= 0:
            return
        room: asyncio.Future[None] = self._loop.create_future()
        timer = self._loop.call_later(over / self.timeline.rate_hz, _settle, room)
        self._waiting.add(room)
        try:
            await room
        finally:
            self._waiting.discard(room)
            timer.cancel()

    def clear(self) -> None:
        """Drop what has not been played; nobody waits for it any more."""
        self.timeline.cut(self._loop.time())
        for room in list(self._waiting):
            _settle(room)


def replace_capture(sources: Mapping[int, Source]) -> None:
    """Make ``rtc.AudioSource`` hand its frames straight to ``sources``, by its handle.

    Its account of what is queued is its own, as in LiveKit: ``queued_duration`` and
    ``wait_for_playout`` go by it. Only the native queue behind it is another.
    """

    async def capture_frame(self: rtc.AudioSource, frame: rtc.AudioFrame) -> None:
        if frame.samples_per_channel == 0 or self._ffi_handle.disposed:
            return
        if (frame.sample_rate, frame.num_channels) != (self.sample_rate, self.num_channels):
            raise Exception("sample_rate and num_channels don't match")  # as LiveKit's own
        now = time.monotonic()
        elapsed = 0.0 if self._last_capture == 0.0 else now - self._last_capture
        self._q_size += frame.samples_per_channel / self.sample_rate - elapsed
        self._last_capture = now
        if self._join_handle:
            self._join_handle.cancel()
        if self._join_fut is None:
            self._join_fut = self._loop.create_future()
        self._join_handle = self._loop.call_later(self._q_size, self._release_waiter)
        count = frame.samples_per_channel * frame.num_channels
        samples = np.frombuffer(frame.data, np.int16)[:count]
        await sources[self._ffi_handle.handle].capture(samples)

    rtc.AudioSource.capture_frame = capture_frame  # type: ignore[method-assign]


def _settle(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)
