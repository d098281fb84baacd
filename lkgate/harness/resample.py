"""Resampling that gives the same samples in every process.

LiveKit's own resampler (soxr through its native library) dithers with a seed made of time and an
address: one input, another output every time, and a voice activity detector behind it crosses its
threshold elsewhere. swresample, which PyAV brings along with livekit-agents, does not.
"""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

_LAYOUTS = {1: "mono", 2: "stereo"}


class Resampler:
    """A streaming converter of interleaved 16-bit samples.

    Args:
        input_hz, output_hz: sample rates.
        channels: 1 or 2, of both sides.

    Attributes:
        output: what was handed out last, for who keeps it alive.

    Raises:
        ValueError: more channels than it knows.
    """

    def __init__(self, input_hz: int, output_hz: int, channels: int) -> None:
        if channels not in _LAYOUTS:
            raise ValueError(f"audio of {channels} channels cannot be resampled")
        self._input_hz = input_hz
        self._output_hz = output_hz
        self._channels = channels
        self.output = np.zeros(0, np.int16)
        self._swr = self._new()

    def push(self, samples: Samples) -> Samples:
        """What has become available; the filter holds back a few samples."""
        if self._input_hz == self._output_hz or not samples.size:
            return samples
        frame = av.AudioFrame.from_ndarray(
            samples.reshape(1, -1), format="s16", layout=_LAYOUTS[self._channels]
        )
        frame.sample_rate = self._input_hz
        return _joined(self._swr.resample(frame))

    def flush(self) -> Samples:
        """The rest. The next sample pushed begins a new stream."""
        if self._input_hz == self._output_hz:
            return np.zeros(0, np.int16)
        rest = _joined(self._swr.resample(None))
        self._swr = self._new()
        return rest

    def _new(self) -> av.AudioResampler:
        return av.AudioResampler(
            format="s16", layout=_LAYOUTS[self._channels], rate=self._output_hz
        )


def _joined(frames: list[av.AudioFrame]) -> Samples:
    parts: list[Samples] = [
        np.asarray(frame.to_ndarray(), np.int16).reshape(-1) for frame in frames if frame.samples
    ]
    if not parts:
        return np.zeros(0, np.int16)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def remixed(samples: Samples, channels: int, wanted: int) -> Samples:
    """Interleaved samples with another number of channels: copied, or averaged."""
    if channels == wanted:
        return samples
    mono = samples
    if channels > 1:
        frames = samples.reshape(-1, channels).astype(np.int32)
        mono = (frames.sum(axis=1) // channels).astype(np.int16)
    return mono if wanted == 1 else np.repeat(mono, wanted)
