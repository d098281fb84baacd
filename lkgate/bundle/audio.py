"""16-bit mono FLAC, with libsndfile."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from lkgate.bundle.tree import held
from lkgate.errors import BundleError
from lkgate.signal import Sound

_BLOCK_SAMPLES = 1 << 20

Pcm = npt.NDArray[np.int16]


def blocks_of(pcm: Sound) -> Iterator[Pcm]:
    """All of it, a block at a time."""
    for start in range(0, len(pcm), _BLOCK_SAMPLES):
        yield pcm[start : start + _BLOCK_SAMPLES]


def joined(blocks: Iterable[Pcm], samples: int) -> Pcm:
    """``samples`` samples, which come in blocks; memory is taken when the first has come."""
    pcm: Pcm | None = None
    filled = 0
    for block in blocks:
        if pcm is None:
            pcm = np.empty(samples, np.int16)
        pcm[filled : filled + len(block)] = block
        filled += len(block)
    return np.zeros(0, np.int16) if pcm is None else pcm


def encode(pcm: Sound, sample_rate_hz: int, path: Path) -> None:
    """Write ``pcm`` (mono, at least one sample) as FLAC. The blocks do not show in the file."""
    # As bytes: soundfile cannot encode the name of a directory that is no UTF-8.
    with _SoundFile(
        os.fsencode(path),
        "w",
        samplerate=sample_rate_hz,
        channels=1,
        format="FLAC",
        subtype="PCM_16",
    ) as file:
        for block in blocks_of(pcm):
            file.write(block)


def decode(data: bytes, *, sample_rate_hz: int, samples: int, where: str) -> Pcm:
    """The samples of a FLAC file.

    Args:
        data: the file.
        sample_rate_hz, samples: what it must hold; checked before memory is taken for it.
        where: its name, for errors.

    Raises:
        BundleError: if it is no FLAC, or holds something else.
    """
    with held(data) as file:
        blocks = decoded(file, sample_rate_hz=sample_rate_hz, samples=samples, where=where)
        return joined(blocks, samples)


def decoded(flac: IO[bytes], *, sample_rate_hz: int, samples: int, where: str) -> Iterator[Pcm]:
    """:func:`decode`, a block at a time, of a file of the system's at its beginning.

    Out of a callback, which any other file needs, Ctrl-C gets lost.
    """
    done = 0
    try:
        with _SoundFile(flac.fileno(), closefd=False) as file:
            found = (file.format, file.subtype, file.channels, file.samplerate, file.frames)
            expected = ("FLAC", "PCM_16", 1, sample_rate_hz, samples)
            if found != expected:
                raise BundleError(f"holds {found}, expected {expected}", where=where)
            while done < samples:
                asked = min(_BLOCK_SAMPLES, samples - done)
                block: Pcm = file.read(asked, dtype="int16")
                done += len(block)
                if len(block) < asked:
                    break
                yield block
    except soundfile.SoundFileError as error:
        raise BundleError(f"no FLAC: {error}", where=where) from None
    if done != samples:
        raise BundleError(f"ends after {done} of {samples} samples", where=where)


class _SoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """Closed by its ``with``, so that nothing is left for soundfile's finalizer: that is written in
    Python, and an interrupt that falls into a finalizer is lost.
    """

    __del__ = dict  # called without arguments, in C
