"""Audio on a timeline: what a source plays when, and what somebody far away hears when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lkgate.harness.resample import Resampler, remixed

Samples = NDArray[np.int16]

# The native source is asked for 10 ms at a time: being late by less tears no hole.
_SLACK_MS = 10
# A listener is behind by the link's latency and one frame; frames are a second at most.
_KEPT_S = 4


class Timeline:
    """The samples of one source, placed on the loop's clock. Silence where nothing was written.

    Blocks of a second each; what nobody can ask for any more is forgotten, so memory does not
    grow with the call.

    Args:
        rate_hz, channels: of the samples, interleaved.
        epoch_s: loop time of sample 0.
    """

    def __init__(self, rate_hz: int, channels: int, epoch_s: float) -> None:
        self.rate_hz = rate_hz
        self.channels = channels
        self.end = 0
        self._epoch_s = epoch_s
        self._blocks: dict[int, Samples] = {}
        self._oldest = 0

    def sample_at(self, time_s: float) -> int:
        """Index of the sample that plays at this loop time; may be negative."""
        return round((time_s - self._epoch_s) * self.rate_hz)

    def time_of(self, sample: int) -> float:
        return self._epoch_s + sample / self.rate_hz

    def write(self, now_s: float, samples: Samples) -> int:
        """Queue samples behind what is queued already, now at the earliest.

        Returns:
            How many samples are queued then, these included.
        """
        now = self.sample_at(now_s)
        late = now - self.end
        start = self.end if self.end > 0 and late <= self.rate_hz * _SLACK_MS // 1000 else now
        start = max(start, 0)
        self._store(start, samples)
        self.end = start + samples.size // self.channels
        self._forget(now - _KEPT_S * self.rate_hz)
        return self.end - now

    def cut(self, now_s: float) -> None:
        """Drop what has not been played yet."""
        now = max(self.sample_at(now_s), 0)
        if now >= self.end:
            return
        for index in range(now // self.rate_hz, self.end // self.rate_hz + 1):
            block = self._blocks.get(index)
            if block is not None:
                block[max(now - index * self.rate_hz, 0) * self.channels :] = 0
        self.end = now

    def read(self, start: int, count: int) -> Samples:
        """``count`` samples a channel from ``start``, a copy."""
        index, within = divmod(start, self.rate_hz)
        if start >= 0 and start + count <= self.end and within + count <= self.rate_hz:
            block = self._blocks.get(index)  # nearly always it is all in one
            if block is not None:
                return block[within * self.channels : (within + count) * self.channels].copy()
        out = np.zeros(count * self.channels, np.int16)
        if start >= self.end or start + count <= 0:
            return out
        at = max(start, 0)
        stop = min(start + count, self.end)
        while at < stop:
            index, within = divmod(at, self.rate_hz)
            n = min(self.rate_hz - within, stop - at)
            block = self._blocks.get(index)
            if block is not None:
                to = (at - start) * self.channels
                out[to : to + n * self.channels] = block[
                    within * self.channels : (within + n) * self.channels
                ]
            at += n
        return out

    def _store(self, start: int, samples: Samples) -> None:
        done, count = 0, samples.size // self.channels
        while done < count:
            index, within = divmod(start + done, self.rate_hz)
            n = min(self.rate_hz - within, count - done)
            block = self._blocks.get(index)
            if block is None:
                block = self._blocks[index] = np.zeros(self.rate_hz * self.channels, np.int16)
            block[within * self.channels : (within + n) * self.channels] = samples[
                done * self.channels : (done + n) * self.channels
            ]
            done += n

    def _forget(self, before: int) -> None:
        while self._oldest < before // self.rate_hz:
            self._blocks.pop(self._oldest, None)
            self._oldest += 1


class Sound:
    """What a track carries: a source's timeline, except while the track is muted.

    ``timeline`` is ``None`` for a track without sound of ours (video).
    """

    def __init__(self, timeline: Timeline | None) -> None:
        self.timeline = timeline
        self.muted = False
        # Loop times at which it changed, and to what; the last few seconds of them.
        self._changes: list[tuple[float, bool]] = []

    def mute(self, now_s: float, muted: bool) -> None:
        if muted == self.muted:
            return
        self._changes = [change for change in self._changes if change[0] > now_s - _KEPT_S]
        self._changes.append((now_s, muted))
        self.muted = muted

    def read(self, timeline: Timeline, start: int, count: int) -> Samples:
        out = timeline.read(start, count)
        if not self._changes:
            return np.zeros_like(out) if self.muted else out
        edges = [min(max(timeline.sample_at(when) - start, 0), count) for when, _ in self._changes]
        states = [not self._changes[0][1], *(muted for _, muted in self._changes)]
        for muted, begin, end in zip(states, [0, *edges], [*edges, count], strict=True):
            if muted:
                out[begin * timeline.channels : end * timeline.channels] = 0
        return out


class Reader:
    """Reads a sound frame by frame, at any rate and number of channels.

    At the source's own rate and channels what comes out is what went in, sample for sample.

    Args:
        sound: read from.
        from_s: loop time, as the source plays, of the first sample.
        rate_hz, channels, frame_samples: of the frames.
    """

    def __init__(
        self, sound: Sound, from_s: float, rate_hz: int, channels: int, frame_samples: int
    ) -> None:
        self._sound = sound
        self._channels = channels
        self._wanted = frame_samples * channels
        self._count = frame_samples
        timeline = sound.timeline
        if timeline is None:
            return
        self._at = self._from = timeline.sample_at(from_s)
        self._frames = 0
        self._rate_hz = rate_hz
        self._resampler: Resampler | None = None
        self._rest: Samples = np.zeros(0, np.int16)
        if timeline.rate_hz != rate_hz:
            self._resampler = Resampler(timeline.rate_hz, rate_hz, channels)
            self._rest = np.zeros(self._resampler.held * channels, np.int16)

    def frame(self) -> Samples:
        """The next frame, interleaved."""
        timeline = self._sound.timeline
        if timeline is None:
            return np.zeros(self._wanted, np.int16)
        self._frames += 1
        if self._resampler is None:
            samples = self._sound.read(timeline, self._at, self._count)
            self._at += self._count
            return remixed(samples, timeline.channels, self._channels)
        due = self._from + self._frames * self._count * timeline.rate_hz // self._rate_hz
        samples = self._sound.read(timeline, self._at, due - self._at)
        self._at = due
        new = self._resampler.push(remixed(samples, timeline.channels, self._channels))
        joined = np.concatenate([self._rest, new])
        self._rest = joined[self._wanted :]
        return joined[: self._wanted]
