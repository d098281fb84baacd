"""From when audio was heard to when it sounded."""

from __future__ import annotations

from collections import deque

import numpy as np

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

    def move(self, frame: bytes, delay_us: int | None) -> bytes:
        """The frame to write for one with ``delay_us``; ``None``: as the one before."""
        size = self._rate // 100
        pcm = np.frombuffer(frame, "<i2")
        blocks = pcm[: len(pcm) // size * size].reshape(-1, size)
        if not len(blocks):
            return frame
        levels = np.sqrt(np.mean(np.square(blocks, dtype=np.float32), axis=1))
        # The silence before a track's first sound is not its noise.
        sounding = levels[levels >= 1]
        self._floors.append(float(sounding.min()) if len(sounding) else 0.0)
        if delay_us is None:
            return frame
        late = self._samples(delay_us) - self._shift
        if abs(late) < self._samples(_STEP_US):
            return frame
        least = min(_NOT_QUIET, max(_QUIET, 2 * min(self._floors)))
        places = np.flatnonzero(np.repeat(levels <= least, size))
        if not len(places):
            return frame
        if late > 0:
            places = places[:late]
            self._shift += len(places)
            return np.delete(pcm, places).tobytes()
        self._shift += late
        at = int(places[0])
        return np.insert(pcm, at, np.resize(pcm[places], -late)).tobytes()

    def _samples(self, us: int) -> int:
        return us * self._rate // 1_000_000
