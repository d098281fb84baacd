"""Files that something else recorded: two voices of tones, and what is written beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

RATE = 16_000
Pcm = npt.NDArray[np.int16]

CALLER = [(1.0, 2.0), (5.0, 6.0)]
AGENT = [(2.5, 4.5), (7.0, 8.0)]
LASTS = 9.0


def voice(
    spans: Sequence[tuple[float, float]], *, frequency: int = 300, lasts: float = LASTS
) -> Pcm:
    """A tone in each of ``spans``, silence elsewhere."""
    t = np.arange(round(lasts * RATE)) / RATE
    on = np.zeros(t.size, bool)
    for start, end in spans:
        on |= (t >= start) & (t < end)
    return np.where(on, 8000 * np.sin(2 * np.pi * frequency * t), 0).astype(np.int16)


def both() -> Pcm:
    """Samples by two channels: caller left, agent right."""
    return np.stack([voice(CALLER), voice(AGENT, frequency=500)], axis=1)


def write(path: Path, pcm: Pcm | npt.NDArray[np.float32], **options: Any) -> Path:
    """A file of libsndfile's, of the kind that its name says."""
    soundfile.write(path, pcm, RATE, **options)
    return path


def encode(path: Path, pcm: Pcm, codec: str) -> Path:
    """A file of FFmpeg's, of the kind that its name says."""
    channels = 1 if pcm.ndim == 1 else pcm.shape[1]
    layout = "mono" if channels == 1 else "stereo"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, layout=layout)
        assert isinstance(stream, av.AudioStream)
        for start in range(0, len(pcm), RATE):
            block = np.ascontiguousarray(pcm[start : start + RATE]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
            frame.sample_rate = RATE
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def manifest(path: Path, **fields: Any) -> Path:
    """An egress manifest as egress writes one: without what is empty, on one line."""
    usual = {"egress_id": "EG_1", "room_id": "RM_1", "room_name": "clinic"}
    path.write_text(json.dumps({**usual, **fields}) + "\n")
    return path


def transcript(path: Path, *lines: tuple[str, float, float, str]) -> Path:
    names = ("speaker", "start", "end", "text")
    rows = [json.dumps(dict(zip(names, line, strict=True))) for line in lines]
    path.write_text("\n".join(rows) + "\n")
    return path


SAID = (
    ("caller", 1.0, 2.0, "Hello."),
    ("agent", 2.5, 4.5, "How can I help?"),
    ("caller", 5.0, 6.0, "A room, please."),
    ("agent", 7.0, 8.0, "Of course."),
)
