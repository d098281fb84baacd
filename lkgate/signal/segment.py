"""Speech in a whole track."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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
    Levels,
    Sound,
    active_samples,
    frame_levels,
    frame_samples,
)

_CHUNK_FRAMES = 1 << 16

Bounds = npt.NDArray[np.int64]


def segment(pcm: Sound, sample_rate_hz: int) -> list[tuple[int, int]]:
    """Stretches of speech, as half-open sample ranges, in order, at least 0.3 s apart.

    A frame of 10 ms is active by its level against the noise floor around it, with hysteresis;
    bursts under 30 ms are clicks; pauses under 0.3 s are inside the speech; speech has at least
    80 ms of active frames. Edges are the first and the last sample that reach the threshold.
    Takes some 50 bytes of memory a frame, and the sound itself piece by piece.

    Args:
        pcm: mono samples.
        sample_rate_hz: at least 2000.
    """
    frame = frame_samples(sample_rate_hz)
    levels = frame_levels(pcm, frame)
    whole = len(levels) * frame
    # Speech cut off by the track's end is still speech up to there.
    last = np.zeros(frame, dtype=np.int16)
    if whole < len(pcm):
        last[: len(pcm) - whole] = pcm[whole : len(pcm)]
        levels = np.append(levels, frame_levels(last, frame))
    if len(levels) == 0:
        return []
    floor = noise_floor(levels)
    off = floor * OFF_RATIO
    starts, ends = _runs(levels >= off, levels >= floor * ON_RATIO)
    solid = ends - starts >= MIN_RUN
    starts, ends = _merge(starts[solid], ends[solid])

    def edge(index: int) -> tuple[int, int]:
        begin = index * frame
        samples = pcm[begin : begin + frame] if begin < whole else last
        first, past = active_samples(samples, float(off[index]))
        return index * frame + first, index * frame + past

    return [
        (edge(start)[0], edge(end - 1)[1])
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def noise_floor(levels: Levels) -> Levels:
    """The floor at each frame: the quietest 50 ms of the 10 s before it or of the 10 s after it,
    whichever is louder, so that it follows a step up as well as a step down.

    Near the track's ends the 10 s are its first or last 10 s.
    """
    floor = np.empty_like(levels)
    reach = FLOOR_WINDOW + PAUSE
    for start in range(0, len(levels), _CHUNK_FRAMES):
        stop = min(start + _CHUNK_FRAMES, len(levels))
        first = max(0, start - reach)
        near = _noise_floor(levels[first : stop + reach])
        floor[start:stop] = near[start - first : stop - first]
    return floor


def _noise_floor(levels: Levels) -> Levels:
    reach = PAUSE // 2
    padded = np.pad(levels, reach, mode="edge")
    loudest = np.max(np.lib.stride_tricks.sliding_window_view(padded, PAUSE), axis=1)
    size = min(FLOOR_WINDOW, len(levels))
    quietest = _rolling_minimum(loudest, size)
    frames = np.arange(len(levels))
    before = quietest[np.maximum(frames - size + 1, 0)]
    after = quietest[np.minimum(frames, len(quietest) - 1)]
    floor: Levels = np.clip(np.maximum(before, after), FLOOR_MIN, FLOOR_MAX)
    return floor


def _rolling_minimum(levels: Levels, size: int) -> Levels:
    """Minimum of each whole window of ``size`` frames, in linear time.

    Van Herk's: among blocks as long as the window, a window is a suffix of one block and a
    prefix of the next.
    """
    count = len(levels)
    blocks = np.pad(levels, (0, -count % size), constant_values=np.inf).reshape(-1, size)
    prefix = np.minimum.accumulate(blocks, axis=1).ravel()
    suffix = np.minimum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    windows = count - size + 1
    minimum: Levels = np.minimum(suffix[:windows], prefix[size - 1 : size - 1 + windows])
    return minimum


def _runs(
    continuing: npt.NDArray[np.bool_], beginning: npt.NDArray[np.bool_]
) -> tuple[Bounds, Bounds]:
    """Runs of continuing frames from at most LEAD_IN frames before their first beginning one."""
    steps = np.diff(np.concatenate([[False], continuing, [False]]).astype(np.int8))
    starts = np.flatnonzero(steps == 1)
    ends = np.flatnonzero(steps == -1)
    first = np.append(np.flatnonzero(beginning), len(beginning))
    opens = first[np.searchsorted(first, starts)]
    kept = opens < ends
    return np.maximum(starts[kept], opens[kept] - LEAD_IN), ends[kept]


def _merge(starts: Bounds, ends: Bounds) -> tuple[Bounds, Bounds]:
    """Runs less than MAX_GAP apart made one; those with too few active frames left out."""
    if len(starts) == 0:
        return starts, ends
    apart = starts[1:] - ends[:-1] >= MAX_GAP
    heads = np.flatnonzero(np.concatenate([[True], apart]))
    tails = np.append(heads[1:], len(starts)) - 1
    active = np.add.reduceat(ends - starts, heads)
    speech = active >= MIN_SPEECH
    return starts[heads][speech], ends[tails][speech]
