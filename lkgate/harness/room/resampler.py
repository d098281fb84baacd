"""``rtc.AudioResampler`` with :class:`lkgate.harness.resample.Resampler` inside."""

from __future__ import annotations

import weakref

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from lkgate.harness.resample import Resampler


def replace_resampler() -> None:
    """Change the class itself, so that whoever has imported it has this one."""
    inside: weakref.WeakKeyDictionary[rtc.AudioResampler, Resampler] = weakref.WeakKeyDictionary()

    def init(
        self: rtc.AudioResampler,
        input_rate: int,
        output_rate: int,
        *,
        num_channels: int = 1,
        quality: rtc.AudioResamplerQuality = rtc.AudioResamplerQuality.MEDIUM,
    ) -> None:
        self._input_rate = input_rate
        self._output_rate = output_rate
        self._num_channels = num_channels
        inside[self] = Resampler(int(input_rate), int(output_rate), num_channels)

    def push(self: rtc.AudioResampler, data: bytearray | rtc.AudioFrame) -> list[rtc.AudioFrame]:
        samples = np.frombuffer(data.data if isinstance(data, rtc.AudioFrame) else data, np.int16)
        return frames(self, inside[self].push(samples))

    def flush(self: rtc.AudioResampler) -> list[rtc.AudioFrame]:
        return frames(self, inside[self].flush())

    def frames(self: rtc.AudioResampler, samples: NDArray[np.int16]) -> list[rtc.AudioFrame]:
        if not samples.size:
            return []
        channels = self._num_channels
        count = samples.size // channels
        return [rtc.AudioFrame(bytearray(samples), self._output_rate, channels, count)]

    rtc.AudioResampler.__init__ = init  # type: ignore[method-assign]
    rtc.AudioResampler.push = push  # type: ignore[method-assign]
    rtc.AudioResampler.flush = flush  # type: ignore[method-assign]
