"""``rtc.AudioStream``: frames at the pace of the clock.

Its own loop, which turns native events into frames, is the one method of ``livekit.rtc`` that is
replaced: twenty times a second and stream it would cost more than everything else in the room.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

import numpy as np
from livekit import rtc
from livekit.rtc._ffi_client import FfiClient

from lkgate.harness.room.sound import Reader
from lkgate.harness.room.track import AudioTrack

_log = logging.getLogger("livekit")


class Stream:
    """Hands over a frame every so often, as the native one does, until it ends or is closed.

    Args:
        pick: the track to read, which may be none.
        follows: ask ``pick`` again before every frame.
        rate_hz, channels, frame_samples: of the frames.
    """

    def __init__(
        self,
        pick: Callable[[], AudioTrack | None],
        *,
        follows: bool,
        rate_hz: int,
        channels: int,
        frame_samples: int,
    ) -> None:
        self._pick = pick
        self._follows = follows
        self._rate_hz, self._channels, self._samples = rate_hz, channels, frame_samples
        self._loop = asyncio.get_event_loop()
        self._from_s = self._loop.time()
        self._sent = 0
        self._reader: Reader | None = None
        self._receive: Callable[[rtc.AudioFrame], None] | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()
        self.track: AudioTrack | None = None
        self._choose(self._from_s)
        self._timer = self._arm()

    async def feed(self, receive: Callable[[rtc.AudioFrame], None]) -> None:
        """Hand all frames from now on to ``receive``, until the stream ends."""
        self._receive = receive
        await self._over

    def end(self) -> None:
        """No more frames. Idempotent."""
        if not self._over.done():
            self._over.set_result(None)
            self._timer.cancel()

    def _arm(self) -> asyncio.TimerHandle:
        due_s = self._from_s + (self._sent + 1) * self._samples / self._rate_hz
        return self._loop.call_at(due_s, self._send)

    def _choose(self, from_s: float) -> None:
        """Read from the track that is to be read now."""
        track = self._pick()
        if track is self.track:
            return
        self.track, self._reader = track, None
        if track is not None:
            begin_s = from_s - track.latency_us / 1_000_000
            self._reader = Reader(
                track.sound, begin_s, self._rate_hz, self._channels, self._samples
            )

    def _send(self) -> None:
        if self._follows:
            self._choose(self._from_s + self._sent * self._samples / self._rate_hz)
        if self._reader is not None:
            frame = self._reader.frame()
        else:
            frame = np.zeros(self._samples * self._channels, np.int16)
        self._sent += 1
        self._timer = self._arm()
        if self._receive is not None:
            self._receive(
                rtc.AudioFrame(bytearray(frame), self._rate_hz, self._channels, self._samples)
            )


def replace_run(streams: Mapping[int, Stream]) -> None:
    """Make ``rtc.AudioStream`` take its frames straight from ``streams``, by its handle."""

    async def run(self: rtc.AudioStream) -> None:
        processor = self._processor

        def receive(frame: rtc.AudioFrame) -> None:
            if processor is not None and processor.enabled:
                try:
                    frame = processor._process(frame)
                except Exception:  # noqa: BLE001 - as LiveKit does
                    _log.warning(
                        "Frame processing failed, passing through original frame", exc_info=True
                    )
            self._queue.put(rtc.AudioFrameEvent(frame))

        stream = streams.get(self._ffi_handle.handle)
        if stream is not None:
            await stream.feed(receive)
        self._queue.put(None)
        FfiClient.instance.queue.unsubscribe(self._ffi_queue)

    rtc.AudioStream._run = run  # type: ignore[method-assign]
