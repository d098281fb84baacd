"""Where in a message's sound each of its words ends, by how long they are. Pure.

Words are laid along the time in which there is sound, by their letters; the end of a sentence is
then moved to the quietest moment nearby. Good to a syllable within a sentence, and to the pause
between two: whatever is spoken piece by piece is cut at those.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FRAME_US = 10_000
# Of the loudest frame's level: below it is a pause.
_QUIET = 0.05
# How far the end of a word, or of a sentence, may be from where its letters put it.
_NEAR_FRAMES = 8
_NEAR_END_FRAMES = 45
_SENTENCE = (".", "!", "?", ":", ";", "…")


def word_ends(pcm: NDArray[np.int16], rate_hz: int, text: str) -> Sequence[int]:
    """Samples from the beginning up to the end of each word of ``text``; the last is all of them.

    Args:
        pcm: mono.
        text: normalised: words with one space between them.
    """
    each = text.split(" ")
    frame = max(1, rate_hz * _FRAME_US // 1_000_000)
    levels = _levels(pcm, frame)
    if not levels.size:
        return [len(pcm)] * len(each)
    sound = np.cumsum(levels > _QUIET * levels.max())
    letters = np.cumsum([max(1, sum(map(str.isalnum, word))) for word in each])
    ends: list[int] = []
    at = 0
    for word, upto in zip(each[:-1], letters, strict=False):
        target = int(np.searchsorted(sound, sound[-1] * upto / letters[-1]))
        near = _NEAR_END_FRAMES if word.endswith(_SENTENCE) else _NEAR_FRAMES
        at = _quietest(levels, max(at, target - near), target + near, target)
        ends.append(min(len(pcm), at * frame))
    return [*ends, len(pcm)]


def _levels(pcm: NDArray[np.int16], frame: int) -> NDArray[np.float64]:
    """Root mean square of each frame, smoothed over five."""
    count = len(pcm) // frame
    frames = pcm[: count * frame].astype(np.float64).reshape(count, frame)
    levels = np.sqrt((frames**2).mean(axis=1)) if count else np.zeros(0)
    return np.convolve(levels, np.full(5, 0.2), mode="same") if count >= 5 else levels


def _quietest(levels: NDArray[np.float64], first: int, last: int, target: int) -> int:
    first, last = min(first, len(levels) - 1), min(max(first + 1, last), len(levels))
    within = levels[first:last]
    # Of a pause, where all is as quiet, the moment that is nearest to the letters' own.
    still = np.flatnonzero(within <= within.min() + _QUIET * levels.max() / 5)
    return first + int(still[np.argmin(np.abs(still + first - target))])
