"""Speech in a track that is still arriving."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lkgate.signal.level import (
    FLOOR_MAX,
    FLOOR_MIN,
    FLOOR_WINDOW,
    LEAD_IN,
    MAX_GAP,
    MIN_RUN,
    MIN_SPEECH,
    OFF_RATIO,
    ON_RATIO,
    PAUSE,
    Pcm,
    active_samples,
    frame_levels,
    frame_samples,
)

_BUCKET = 10
"""Frames over which the noise floor stays as it is."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Speech began with, or ended before, the track's sample number ``sample``."""

    kind: Literal["start", "stop"]
    sample: int


class OnlineDetector:
    """:func:`lkgate.signal.segment` for audio as it comes, in pieces of any length.

    A start is reported once there are 80 ms of speech, a stop once it has been silent for 0.3 s;
    both carry the sample at which it truly happened. The noise floor is what the last 10 s had,
    and is taken to be silence before there are 10 s: on a track that is silent between words
    (an agent's) the edges are those of ``segment``; on a noisy one they differ until the floor
    is known.
    """

    def __init__(self, sample_rate_hz: int):
        self._frame = frame_samples(sample_rate_hz)
        self._rest: Pcm = np.zeros(0, dtype=np.int16)
        self._index = 0  # of the next frame
        self._floor = _Floor()
        self._lead: deque[tuple[int, Pcm, float]] = deque(maxlen=LEAD_IN)
        self._run: _Run | None = None
        self._speech: _Speech | None = None

    @property
    def speaking(self) -> bool:
        """Whether a start was reported and its stop was not."""
        return self._speech is not None and self._speech.reported

    @property
    def samples(self) -> int:
        """Samples pushed so far."""
        return self._index * self._frame + len(self._rest)

    def push(self, pcm: Pcm) -> list[Edge]:
        """Take the track's next samples; return the edges that became certain with them."""
        if len(self._rest):
            pcm = np.concatenate([self._rest, pcm])
        frame = self._frame
        edges: list[Edge] = []
        levels = frame_levels(pcm, frame).tolist()
        for number, level in enumerate(levels):
            self._step(pcm[number * frame : (number + 1) * frame], level, edges)
        self._rest = pcm[len(levels) * frame :].copy()
        return edges

    def finish(self) -> list[Edge]:
        """The track ended: return the edges that its end makes certain. Push no more."""
        edges: list[Edge] = []
        if len(self._rest):
            edges += self.push(np.zeros(self._frame - len(self._rest), dtype=np.int16))
        self._end_run()
        self._end_speech(edges)
        return edges

    def _step(self, samples: Pcm, level: float, edges: list[Edge]) -> None:
        floor = self._floor.push(level)
        index = self._index
        self._index += 1
        off = floor * OFF_RATIO
        if level < off:
            self._lead.clear()
            self._end_run()
        elif self._run is not None:
            self._run.extend(samples, off)
        else:
            if level >= floor * ON_RATIO:
                start, first, first_off = self._lead[0] if self._lead else (index, samples, off)
                at = start * self._frame + active_samples(first, first_off)[0]
                self._run = _Run(start, index + 1, at, samples, off)
                self._lead.clear()
            else:
                self._lead.append((index, samples, off))
        self._report(edges)

    def _report(self, edges: list[Edge]) -> None:
        speech, run = self._speech, self._run
        if run is not None and run.end - run.start >= MIN_RUN:
            if speech is None or run.start - speech.end >= MAX_GAP:
                self._end_speech(edges)
                self._speech = speech = _Speech(run.first_sample)
            speech.end = run.end
            if not speech.reported and speech.active + run.end - run.start >= MIN_SPEECH:
                speech.reported = True
                edges.append(Edge("start", speech.start_sample))
        elif speech is not None:
            # A run that can still join must begin with what leads in now, or later.
            earliest = run.start if run is not None else self._index - len(self._lead)
            if earliest - speech.end >= MAX_GAP:
                self._end_speech(edges)

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is None or run.end - run.start < MIN_RUN or self._speech is None:
            return
        self._speech.active += run.end - run.start
        past = active_samples(run.last, run.last_off)[1]
        self._speech.end_sample = (run.end - 1) * self._frame + past

    def _end_speech(self, edges: list[Edge]) -> None:
        if self.speaking and self._speech is not None:
            edges.append(Edge("stop", self._speech.end_sample))
        self._speech = None


class _Run:
    """Consecutive active frames."""

    __slots__ = ("end", "first_sample", "last", "last_off", "start")

    def __init__(self, start: int, end: int, first_sample: int, last: Pcm, last_off: float):
        self.start = start
        self.end = end
        self.first_sample = first_sample
        self.last = last
        self.last_off = last_off

    def extend(self, samples: Pcm, off: float) -> None:
        self.end += 1
        self.last = samples
        self.last_off = off


class _Speech:
    """Runs near enough to each other to be one stretch."""

    __slots__ = ("active", "end", "end_sample", "reported", "start_sample")

    def __init__(self, start_sample: int):
        self.start_sample = start_sample
        self.end_sample = start_sample
        self.end = 0
        self.active = 0
        self.reported = False


class _Floor:
    """The quietest 50 ms of the last 10 s; silence until there are 10 s."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque([0.0] * PAUSE, maxlen=PAUSE)
        buckets = FLOOR_WINDOW // _BUCKET
        self._minima: deque[float] = deque([0.0] * buckets, maxlen=buckets)
        self._lowest = float("inf")
        self._count = 0
        self._floor = FLOOR_MIN

    def push(self, level: float) -> float:
        self._recent.append(level)
        self._lowest = min(self._lowest, max(self._recent))
        self._count += 1
        if self._count == _BUCKET:
            self._minima.append(self._lowest)
            self._floor = min(max(min(self._minima), FLOOR_MIN), FLOOR_MAX)
            self._lowest = float("inf")
            self._count = 0
        return self._floor
