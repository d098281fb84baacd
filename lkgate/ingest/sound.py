"""Audio files of any kind as one raw PCM file a channel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from lkgate.bundle.manifest import MAX_RATE_HZ, MAX_SAMPLES, MIN_RATE_HZ
from lkgate.errors import BundleError
from lkgate.ingest.container import is_container, read_container
from lkgate.ingest.ending import cut_short

Block = npt.NDArray[np.float32]
"""Samples by channels, 1.0 is full scale."""

_BLOCK = 1 << 18
_FULL_SCALE = 32768
# Two channels whose difference is 40 dB below them hold one sound: a lossy codec changed the rest.
_SAME_RATIO = 1e-4


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded file.

    Attributes:
        source: the file.
        sample_rate_hz: its own.
        channels: files of mono signed 16-bit little-endian samples, one a channel.
        samples: in each.
        same: it has two channels, and both hold the same sound.
        cut_short: how the file lacks its end, ``None`` if it is whole.
    """

    source: Path
    sample_rate_hz: int
    channels: tuple[Path, ...]
    samples: int
    same: bool
    cut_short: str | None

    @property
    def duration_us(self) -> int:
        return self.samples * 1_000_000 // self.sample_rate_hz


def decode(source: Path, work: Path, *, allow_truncated: bool) -> Sound:
    """Decode ``source`` block by block into files in the directory ``work``.

    Args:
        allow_truncated: whether a file that was cut off is taken up to where it goes.

    Raises:
        BundleError: if it is no audio, holds none, holds what is no sample, or was cut off.
    """
    short = cut_short(source)
    with ExitStack() as stack:
        if is_container(source):
            rate, blocks, ended = read_container(source, stack)
        else:
            rate, blocks = _read(source, stack)
            ended = list[str]()
        paths: list[Path] = []
        files: list[BinaryIO] = []
        samples = 0
        loud = apart = 0.0
        if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
            raise BundleError(
                f"has {rate} Hz; a bundle holds {MIN_RATE_HZ} to {MAX_RATE_HZ}", where=str(source)
            )
        for block in blocks:
            if not np.isfinite(block).all():
                first = samples + int(np.argmin(np.isfinite(block).all(axis=1)))
                raise BundleError(
                    f"holds a sample that is no number, {first / rate:.3f} s into it",
                    where=str(source),
                    next_step="Write it again with the program that made it, as 16-bit samples.",
                )
            pcm = np.clip(np.rint(block * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
            if not files:
                paths = [work / f"{channel}.pcm" for channel in range(block.shape[1])]
                files = [stack.enter_context(path.open("xb")) for path in paths]
            for channel, file in enumerate(files):
                file.write(pcm[:, channel].astype("<i2").tobytes())
            samples += len(pcm)
            if samples > MAX_SAMPLES:
                raise BundleError(
                    f"is longer than a bundle holds: {MAX_SAMPLES // rate // 3600} hours at "
                    f"{rate} Hz",
                    where=str(source),
                )
            if len(files) == 2:
                loud += float(np.vdot(pcm, pcm))
                difference = pcm[:, 0] - pcm[:, 1]
                apart += float(np.vdot(difference, difference))
    if samples == 0:
        raise BundleError("holds no audio", where=str(source))
    short = short or next(iter(ended), None)
    if short is not None and not allow_truncated:
        raise BundleError(
            f"was cut off: it {short}",
            where=str(source),
            next_step="Copy it again from where it came; if it is cut off there too, "
            "--allow-truncated takes what there is.",
        )
    return Sound(
        source=source,
        sample_rate_hz=rate,
        channels=tuple(paths),
        samples=samples,
        same=len(paths) == 2 and loud > 0 and apart <= loud * _SAME_RATIO,
        cut_short=short,
    )


def _read(source: Path, stack: ExitStack) -> tuple[int, Iterator[Block]]:
    """With libsndfile: WAV, FLAC, Ogg (Opus, Vorbis, FLAC) and more.

    MP3 can be read as well, but nobody is told to: joint stereo lets each side be heard on the
    other's channel.
    """
    import soundfile  # type: ignore[import-untyped]

    def wrong(error: Exception) -> BundleError:
        return BundleError(
            f"no audio that can be read: {getattr(error, 'error_string', error)}",
            where=str(source),
            next_step="Import takes WAV, FLAC and Ogg, and MP4 and WebM with PyAV.",
        )

    try:
        file = stack.enter_context(soundfile.SoundFile(os.fsencode(source)))
    except soundfile.SoundFileError as error:
        raise wrong(error) from None

    def blocks() -> Iterator[Block]:
        # Until nothing comes: the length in the header of a file that was cut off is of no use.
        while True:
            try:
                block: Block = file.read(_BLOCK, dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                raise wrong(error) from None
            if not len(block):
                return
            yield block

    return int(file.samplerate), blocks()
