"""Where frames without timestamps lie on the session's clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

HELD_FRAMES = 5
TOLERANCE_US = 250_000

# A lag that falls by more than this from one frame to the next is a backlog draining, not jitter.
_FALL_US = 20_000

# Of so many frames the least late one tells how far counting has gone wrong.
_LAG_FRAMES = 20


@dataclass(frozen=True, slots=True)
class Placed:
    """Frames to append, after ``silence_samples`` of digital silence.

    Attributes:
        silence_samples: to write before the frames; 0 where they follow on.
        frames: mono s16le PCM.
    """

    silence_samples: int
    frames: tuple[bytes, ...]


class Timeline:
    """Places the frames of one track by their arrival, then by counting samples.

    A frame's lag is its arrival minus the time at which counting says that it ends. Jitter and a
    busy event loop only ever make frames late, so the truth is the smallest lag of several
    frames: the first ones of a stream are held to anchor it, and again wherever frames come more
    than ``TOLERANCE_US`` late, until ``HELD_FRAMES`` of them agree that lag falls no further. If
    it falls back (a backlog drains), nothing was lost; if it stays, audio is missing, and silence
    of that length takes its place.

    Args:
        sample_rate_hz: of the frames.
    """

    def __init__(self, sample_rate_hz: int):
        self._rate = sample_rate_hz
        self._offset_us: int | None = None
        self._samples = 0
        self._anchoring = True
        self._held: list[tuple[int, bytes]] = []
        self._held_samples = 0
        self._best_lag: int | None = None
        self._agreed = 0
        self._lags: deque[int] = deque(maxlen=_LAG_FRAMES)
        self._segment = 0

    @property
    def offset_us(self) -> int | None:
        """Session time of the first sample; ``None`` until the first frames are placed."""
        return self._offset_us

    @property
    def end_us(self) -> int:
        """Session time of the end of what was placed."""
        return (self._offset_us or 0) + self._us(self._samples)

    @property
    def segment(self) -> int:
        """How often time was anchored to an arrival so far."""
        return self._segment

    @property
    def lag_us(self) -> int | None:
        """By how much audio now comes later than counting from the segment's anchor has it;
        ``None`` until enough of it has come. What grows or shrinks here is drift.

        Nothing comes before it sounded: a fall is believed at once, and a rise when ``HELD_FRAMES``
        agree about it.
        """
        least = min(self._lags, default=0)
        last = list(self._lags)[-HELD_FRAMES:]
        if len(last) == HELD_FRAMES and max(last) - min(last) <= _FALL_US:
            least = min(last) if min(last) - least > _FALL_US else least
        return least if len(self._lags) == _LAG_FRAMES or least < -_FALL_US else None

    def push(self, now_us: int, pcm: bytes) -> Placed | None:
        """Take a frame that arrived at ``now_us``. Returns what can be written now, if anything."""
        lag = now_us - self.end_us - self._us(self._held_samples + len(pcm) // 2)
        if not self._held and not self._anchoring and lag <= TOLERANCE_US:  # nearly always
            self._samples += len(pcm) // 2
            self._lags.append(lag)
            return Placed(0, (pcm,))
        self._held.append((lag, pcm))
        self._held_samples += len(pcm) // 2
        if not self._anchoring and lag <= TOLERANCE_US:
            return self._release(0)
        if self._best_lag is None or lag < self._best_lag - _FALL_US:
            self._best_lag = lag
            self._agreed = 0
        self._agreed += 1
        return self._place() if self._agreed >= HELD_FRAMES else None

    def flush(self) -> Placed | None:
        """The stream ended: place what is held. The next frame starts a new segment."""
        placed = self._place() if self._held else None
        self._anchoring = True
        return placed

    def _place(self) -> Placed:
        lag = min(lag for lag, _ in self._held)
        anchoring, self._anchoring = self._anchoring, False
        if anchoring or lag > 0:
            self._lags.clear()
            self._segment += 1
            if self._offset_us is not None and lag <= 0:
                # Counting is ahead already. By how much is told by this stream, not by the last.
                self._lags.extend([lag] * _LAG_FRAMES)
        if self._offset_us is not None:
            return self._release(max(0, lag * self._rate // 1_000_000))
        # Session time begins at 0: what was heard before is cut off.
        early = max(0, -lag * self._rate // 1_000_000)
        self._offset_us = max(0, lag)
        if early:
            pcm = b"".join(frame for _, frame in self._held)[early * 2 :]
            self._held = [(lag, pcm)]
            self._held_samples = len(pcm) // 2
        return self._release(0)

    def _release(self, silence_samples: int) -> Placed:
        placed = Placed(silence_samples, tuple(frame for _, frame in self._held))
        self._samples += silence_samples + self._held_samples
        self._held = []
        self._held_samples = 0
        self._best_lag = None
        self._agreed = 0
        return placed

    def _us(self, samples: int) -> int:
        return samples * 1_000_000 // self._rate
