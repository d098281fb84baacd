"""From when audio was heard to when it sounded."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

# A smaller error is left alone: half of the pieces in which WebRTC stretches and cuts.
_STEP_US = 5_000
# A block of 10 ms is quiet up to this level (-50 dBFS), and up to twice the least level of the
# last second: where there is noise all the time. Nothing above -30 dBFS is quiet.
_QUIET = 100.0
_NOT_QUIET = 1_000.0
_FLOOR_FRAMES = 10


class Alignment:
    """Moves the audio of one track by the delay with which it was received, as that changes.

    WebRTC's jitter buffer makes itself longer and shorter by stretching speech: most of all in
    the second after a subscription, by some 50 ms. So a constant would be wrong somewhere. Where
    the delay has changed, audio is moved in the next pause: samples of it are left out or
    repeated. Speech stays as it was heard.

    Args:
        sample_rate_hz: of the audio, mono s16le.
    """

    def __init__(self, sample_rate_hz: int):
        self._rate = sample_rate_hz
        self._shift = 0
        self._floors: deque[float] = deque(maxlen=_FLOOR_FRAMES)
        # The last 10 ms of the frame before, if they were a pause.
        self._pause: NDArray[np.int16] | None = None

    @property
    def shift_us(self) -> int:
        """How much earlier audio is written than it was heard."""
        return self._shift * 1_000_000 // self._rate

    def start(self, delay_us: int | None) -> None:
        """The track begins with audio of this delay; ``None``: it is not known yet."""
        self._shift = self._samples(delay_us or 0)

    def fill(self, silence_samples: int, delay_us: int | None) -> int:
        """How much of a gap is left to write, if what comes after it has ``delay_us``."""
        if delay_us is None:
            return silence_samples
        left = max(0, silence_samples - (self._samples(delay_us) - self._shift))
        self._shift += silence_samples - left
        return left

    def begins(self, frame: bytes) -> bool:
        """Whether sound begins in the frame after a pause.

        In a pause of comfort noise the jitter buffer runs empty, and what begins then may have
        quite another delay than what was heard last.
        """
        blocks = self._blocks(frame)
        if self._pause is None or not len(blocks):
            return False
        return bool(np.any(_levels(blocks) > self._least()))

    def move(self, frame: bytes, delay_us: int | None) -> bytes:
        """The frame to write for one with ``delay_us``; ``None``: as the one before."""
        pcm, blocks = np.frombuffer(frame, "<i2"), self._blocks(frame)
        if not len(blocks):
            return frame
        levels = _levels(blocks)
        # The silence before a track's first sound is not its noise.
        sounding = levels[levels >= 1]
        self._floors.append(float(sounding.min()) if len(sounding) else 0.0)
        quiet = levels <= self._least()
        before, self._pause = self._pause, blocks[-1] if quiet[-1] else None
        if delay_us is None:
            return frame
        late = self._samples(delay_us) - self._shift
        if abs(late) < self._samples(_STEP_US):
            return frame
        places = np.flatnonzero(np.repeat(quiet, blocks.shape[1]))
        if late > 0:
            places = places[:late]
            self._shift += len(places)
            return np.delete(pcm, places).tobytes() if len(places) else frame
        if len(places):
            at, pause = int(places[0]), pcm[places]
        elif before is not None:
            at, pause = 0, before
        else:
            return frame
        self._shift += late
        return np.insert(pcm, at, np.resize(pause, -late)).tobytes()

    def _blocks(self, frame: bytes) -> NDArray[np.int16]:
        """Whole pieces of 10 ms."""
        size = self._rate // 100
        pcm = np.frombuffer(frame, "<i2")
        return pcm[: len(pcm) // size * size].reshape(-1, size)

    def _least(self) -> float:
        """The level up to which a block is quiet."""
        return min(_NOT_QUIET, max(_QUIET, 2 * min(self._floors, default=0.0)))

    def _samples(self, us: int) -> int:
        return us * self._rate // 1_000_000


def _levels(blocks: NDArray[np.int16]) -> NDArray[np.float32]:
    power: NDArray[np.float32] = np.mean(np.square(blocks, dtype=np.float32), axis=1)
    return np.sqrt(power)
