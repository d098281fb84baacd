"""Resampling that gives the same samples in every process and on every machine.

LiveKit's own resampler (soxr through its native library) dithers with a seed made of time and an
address: one input, another output every time, and a voice activity detector behind it crosses its
threshold elsewhere. Here the filter's coefficients are integers and its sums stay below 2**53, so
they are exact in whatever order a processor adds them up.
"""

from __future__ import annotations

import functools
import math
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

# Coefficients a phase, at the lower of the two rates.
_TAPS = 32
_ONE = 1 << 15
_BETA = 8.0
_PASS_RATIO = 0.94
# Several resamplers of a session are fed the same frames: LiveKit's detectors have one each.
_KEPT = 16
# Input samples that one row of a matrix product moves on by, about.
_ROW = 24


class Resampler:
    """A streaming converter of interleaved 16-bit samples.

    Output sample ``n`` belongs to the input's time ``n / output_hz``; what needs input that has
    not come yet is held back.

    Args:
        input_hz, output_hz: sample rates.
        channels: of both sides.
    """

    def __init__(self, input_hz: int, output_hz: int, channels: int) -> None:
        self._rates = (input_hz, output_hz)
        self._channels = channels
        self._tail = b""
        self._begin()

    @property
    def held(self) -> int:
        """Output samples a channel that may be held back, at most."""
        input_hz, output_hz = self._rates
        if input_hz == output_hz:
            return 0
        step, taps, _ = _filter(input_hz, output_hz)
        return math.ceil((taps + step) * output_hz / input_hz) + 1

    def push(self, samples: Samples) -> Samples:
        """What has become available."""
        input_hz, output_hz = self._rates
        if input_hz == output_hz or not samples.size:
            return samples
        self._pushed += samples.size // self._channels
        out, self._tail = _convert(self._rates, self._channels, self._tail, samples.tobytes())
        self._handed += out.size // self._channels
        return out

    def flush(self) -> Samples:
        """The rest. The next sample pushed begins a new stream."""
        input_hz, output_hz = self._rates
        if input_hz == output_hz or not self._pushed:
            return np.zeros(0, np.int16)
        step, taps, _ = _filter(input_hz, output_hz)
        whole = -(-self._pushed * output_hz // input_hz)
        silence = bytes(2 * self._channels * (taps + 2 * step))
        out, _ = _convert(self._rates, self._channels, self._tail, silence)
        rest = out[: (whole - self._handed) * self._channels]
        self._begin()
        return rest

    def _begin(self) -> None:
        self._pushed = self._handed = 0
        input_hz, output_hz = self._rates
        self._tail = b""
        if input_hz != output_hz:
            _, taps, _ = _filter(input_hz, output_hz)
            # So that the first output sample lies on the first input sample.
            self._tail = bytes(2 * self._channels * (taps // 2 - 1))


_recent: OrderedDict[tuple[tuple[int, int], int, bytes, bytes], tuple[Samples, bytes]]
_recent = OrderedDict()


def _convert(
    rates: tuple[int, int], channels: int, tail: bytes, new: bytes
) -> tuple[Samples, bytes]:
    """Output for ``tail + new``, and the part of it that the next output needs again.

    A pure function; what was asked lately is remembered.
    """
    key = (rates, channels, tail, new)
    known = _recent.get(key)
    if known is None:
        known = _recent[key] = _compute(rates, channels, tail + new)
        if len(_recent) > _KEPT:
            _recent.popitem(last=False)
    return known


def _compute(rates: tuple[int, int], channels: int, data: bytes) -> tuple[Samples, bytes]:
    step, taps, _ = _filter(*rates)
    frames = np.frombuffer(data, np.int16).reshape(-1, channels)
    blocks = (len(frames) - taps) // step
    if blocks <= 0:
        return np.zeros(0, np.int16), data
    together, matrix = _wide(*rates)
    width, made = matrix.shape[0], matrix.shape[1] // together
    rows, taken = -(-blocks // together), step * together
    length = (rows - 1) * taken + width  # may end in silence, for blocks that are cut off below
    given = frames[:length]
    out = np.empty((blocks * made, channels), np.int16)
    for channel in range(channels):
        line = np.zeros(length)
        line[: len(given)] = given[:, channel]
        windows = np.ndarray((rows, width), np.float64, line, 0, (8 * taken, 8))
        sums = (windows @ matrix).reshape(-1)[: blocks * made]
        sums *= 1 / _ONE
        np.rint(sums, out=sums)
        np.maximum(sums, -32768, out=sums)
        np.minimum(sums, 32767, out=sums)
        out[:, channel] = sums
    flat = out.reshape(-1)
    flat.flags.writeable = False  # it is remembered
    return flat, data[2 * channels * blocks * step :]


@functools.cache
def _filter(input_hz: int, output_hz: int) -> tuple[int, int, NDArray[np.float64]]:
    """How many input samples a block takes, taps a phase, and the block's matrix.

    A block of ``step`` input samples gives ``matrix.shape[1]`` output samples from a window of
    ``matrix.shape[0]`` input samples. A windowed sinc, cut off below the lower Nyquist frequency.
    """
    common = math.gcd(input_hz, output_hz)
    step, made = input_hz // common, output_hz // common
    ratio = min(1.0, output_hz / input_hz)
    taps = 2 * math.ceil(_TAPS / ratio / 2)
    half = taps // 2
    matrix = np.zeros((taps + step, made))
    for output in range(made):
        whole, part = divmod(output * step, made)
        at = np.arange(taps) - (half - 1) - part / made
        window = np.i0(_BETA * np.sqrt(np.clip(1 - (at / half) ** 2, 0, None))) / np.i0(_BETA)
        phase = np.sinc(at * ratio * _PASS_RATIO) * window
        matrix[whole : whole + taps, output] = np.rint(phase / phase.sum() * _ONE)
    return step, taps, matrix


@functools.cache
def _wide(input_hz: int, output_hz: int) -> tuple[int, NDArray[np.float64]]:
    """How many blocks are multiplied in one row, and the matrix for so many.

    A product with a few columns takes several times longer than one with a few more.
    """
    step, _, matrix = _filter(input_hz, output_hz)
    together = max(1, _ROW // step)
    height, width = matrix.shape
    wide = np.zeros((height + step * (together - 1), width * together))
    for block in range(together):
        row, column = block * step, block * width
        wide[row : row + height, column : column + width] = matrix
    return together, wide


def remixed(samples: Samples, channels: int, wanted: int) -> Samples:
    """Interleaved samples with another number of channels: copied, or averaged."""
    if channels == wanted:
        return samples
    mono = samples
    if channels > 1:
        frames = samples.reshape(-1, channels).astype(np.int32)
        mono = (frames.sum(axis=1) // channels).astype(np.int16)
    return mono if wanted == 1 else np.repeat(mono, wanted)
