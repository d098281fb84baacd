"""16-bit mono FLAC, with libsndfile."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from lkgate.errors import BundleError

Pcm = npt.NDArray[np.int16]


def encode(pcm: Pcm, sample_rate_hz: int, path: Path) -> None:
    """Write ``pcm`` (mono, at least one sample) as FLAC."""
    soundfile.write(path, pcm, sample_rate_hz, format="FLAC", subtype="PCM_16")


def decode(data: bytes, *, sample_rate_hz: int, samples: int, where: str) -> Pcm:
    """The samples of a FLAC file.

    Args:
        data: the file.
        sample_rate_hz, samples: what it must hold; checked before memory is taken for it.
        where: its name, for errors.

    Raises:
        BundleError: if it is no FLAC, or holds something else.
    """
    try:
        # A file of the system's: out of a callback, which any other file needs, Ctrl-C gets lost.
        with tempfile.TemporaryFile() as held, _opened(held, data) as file:
            found = (file.format, file.subtype, file.channels, file.samplerate, file.frames)
            expected = ("FLAC", "PCM_16", 1, sample_rate_hz, samples)
            if found != expected:
                raise BundleError(f"holds {found}, expected {expected}", where=where)
            pcm: Pcm = file.read(samples, dtype="int16")
    except soundfile.SoundFileError as error:
        raise BundleError(f"no FLAC: {error}", where=where) from None
    if len(pcm) != samples:
        raise BundleError(f"ends after {len(pcm)} of {samples} samples", where=where)
    return pcm


class _Sound(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Closed by its ``with``, so that nothing is left for soundfile's finalizer: that is written in
    Python, and an interrupt that falls into a finalizer is lost.
    """

    __del__ = dict  # called without arguments, in C


def _opened(held: IO[bytes], data: bytes) -> soundfile.SoundFile:
    held.write(data)
    held.seek(0)
    return _Sound(held.fileno(), closefd=False)
