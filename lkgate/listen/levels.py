"""How loud speech is, and how much of it is clipped."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from lkgate.listen.track import Heard, Pcm, Sounds

# So near to the end of the scale, so often in a row, is no coincidence.
_FULL = 32_766
_RUN = 3


def levels(tracks: Sequence[Sounds]) -> Iterator[Heard]:
    """An event ``lkgate.audio_level`` for each stretch of speech."""
    for sounds in tracks:
        for span in sounds.track.speech:
            pcm = sounds.cut(span)
            if not len(pcm):
                continue
            data = {
                **sounds.about(span),
                "level_dbfs": level_dbfs(pcm),
                "samples": len(pcm),
                "clipped_samples": clipped(pcm),
            }
            yield Heard(span.end_us, "lkgate.audio_level", data)


def level_dbfs(pcm: Pcm) -> float | None:
    """Mean power against a full-scale square wave, in dB; ``None`` for digital silence."""
    power = float(np.mean(pcm.astype(np.float64) ** 2)) / 32_768.0**2
    return round(10.0 * math.log10(power), 2) if power > 0 else None


def clipped(pcm: Pcm) -> int:
    """Samples that stand at the end of the scale, three in a row at least."""
    full = np.abs(pcm.astype(np.int32)) >= _FULL
    edges = np.flatnonzero(np.diff(np.concatenate(([0], full.astype(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= _RUN].sum())
