"""Levels of 10 ms frames, and the numbers that make a level speech.

Levels are mean squares about the frame's mean, in squared 16-bit steps. They are computed
exactly (sums of 16-bit squares fit a float64), and thresholds multiply them by constants, so the
same samples give the same edges on every machine.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

SPEECH_METHOD = "energy-1"
"""Name and version of the detector. Any change that can move an edge changes it."""

FRAMES_PER_SECOND = 100


def _power(dbfs: float) -> float:
    return float(32768.0**2 * 10.0 ** (dbfs / 10.0))


FLOOR_MIN = _power(-60.0)
"""The noise floor of a track that is silent between words: the thresholds then are constants."""
FLOOR_MAX = _power(-30.0)
"""No noise floor is higher: a steady sound above it is a sound."""
ON_RATIO = 10.0**0.8
"""A frame 8 dB above the floor begins speech."""
OFF_RATIO = 10.0**0.5
"""Frames down to 5 dB above the floor continue it."""
FLOOR_WINDOW = 1000
"""Frames (10 s) in which every speaker pauses at least once."""
PAUSE = 5
"""Frames that a pause lasts at least, to count as the floor."""
LEAD_IN = 10
"""Frames of continuing level that may stand before the first one that begins speech."""
MIN_RUN = 3
"""Frames below which a burst is a click."""
MIN_SPEECH = 8
"""Active frames that speech needs."""
MAX_GAP = 30
"""A pause shorter than this many frames is inside the speech."""

_CHUNK_FRAMES = 4096

Pcm = npt.NDArray[np.int16]
Levels = npt.NDArray[np.float64]


class Sound(Protocol):
    """Mono samples of which a part is taken at a time: an array, or a file longer than memory."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Pcm: ...


def frame_samples(sample_rate_hz: int) -> int:
    """Samples in one frame.

    Raises:
        ValueError: below 2 kHz, where a frame holds too little to have a level.
    """
    if sample_rate_hz < 2000:
        raise ValueError(f"{sample_rate_hz} Hz is no rate of speech")
    return sample_rate_hz // FRAMES_PER_SECOND


def frame_levels(pcm: Sound, frame: int) -> Levels:
    """The level of every whole frame of ``pcm`` (shape: samples // frame)."""
    count = len(pcm) // frame
    levels = np.empty(count)
    for start in range(0, count, _CHUNK_FRAMES):
        stop = min(start + _CHUNK_FRAMES, count)
        block = pcm[start * frame : stop * frame].astype(np.float64).reshape(-1, frame)
        squares = np.einsum("ij,ij->i", block, block)
        total = block.sum(axis=1)
        levels[start:stop] = (squares * frame - total * total) / (frame * frame)
    return levels


def active_samples(samples: Pcm, threshold: float) -> tuple[int, int]:
    """First sample and one past the last that reach ``threshold`` (a level) about the mean.

    ``samples`` must have a level of at least ``threshold``, so that there are such samples.
    """
    centred = samples.astype(np.float64)
    centred -= centred.mean()
    # The largest square is never below the mean square; the minimum guards its rounding.
    squares = centred * centred
    found = np.flatnonzero(squares >= min(threshold, float(squares.max())))
    return int(found[0]), int(found[-1]) + 1
