"""The audio of MP4 and WebM, with PyAV.

PyAV brings all of FFmpeg, for the few who have such files: it is an extra (``lkgate[media]``), and
already there where livekit-agents is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lkgate.errors import BundleError

if TYPE_CHECKING:
    from av import AudioStream
    from av.container import InputContainer

_EBML = b"\x1aE\xdf\xa3"
# Timestamps are rounded (WebM: to a millisecond); a longer jump is sound that was never written.
_GAP_SECONDS = 0.02
# A container's duration is that of its longest stream, which need not be the audio.
_SHORT_SECONDS = 1.0
_FULL_SCALE = 32768


def is_container(source: Path) -> bool:
    """Whether the file begins as MP4 or as WebM (Matroska) does."""
    with source.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" or head[:4] == _EBML


def read_container(
    source: Path, stack: ExitStack
) -> tuple[int, Iterator[npt.NDArray[np.float32]], list[str]]:
    """Sample rate, blocks of the first audio stream, and a list that holds, once all blocks were
    taken, how the file lacks its end, if it does.

    Where the stream's timestamps leave a gap (a muted microphone sends nothing), there is silence.

    Raises:
        BundleError: if there is no PyAV, or no audio; taking blocks, if the file is damaged.
    """
    try:
        import av
    except ImportError:
        raise BundleError(
            "MP4 and WebM are read with PyAV, which is not installed",
            where=str(source),
            next_step="python -m pip install 'lkgate[media]'",
        ) from None

    def wrong(error: av.FFmpegError) -> BundleError:
        return BundleError(
            f"cannot be decoded: {error.strerror}",
            where=str(source),
            next_step="Copy it again from where it came: an MP4 without its end is no MP4.",
        )

    try:
        container = stack.enter_context(av.open(str(source)))
    except av.FFmpegError as error:
        raise wrong(error) from None
    if not container.streams.audio:
        raise BundleError("holds no audio", where=str(source))
    stream = container.streams.audio[0]
    ended: list[str] = []

    def blocks() -> Iterator[npt.NDArray[np.float32]]:
        try:
            yield from _blocks(container, stream, ended)
        except av.FFmpegError as error:
            raise wrong(error) from None

    return stream.rate, blocks(), ended


def _blocks(
    container: InputContainer, stream: AudioStream, ended: list[str]
) -> Iterator[npt.NDArray[np.float32]]:
    import av

    channels = stream.channels
    convert = av.AudioResampler(format="s16", layout=stream.layout, rate=stream.rate)
    # Of the whole file: sound that came later than the picture began later.
    start = container.start_time
    began = None if start is None else start / av.time_base
    written = 0
    for frame in container.decode(stream):
        if frame.time is not None:
            began = frame.time if began is None else began
            gap = frame.time - began - written / stream.rate
            if gap > _GAP_SECONDS:
                silent = round(gap * stream.rate)
                written += silent
                yield np.zeros((silent, channels), np.float32)
        frame.pts = None  # the converter would fill or drop by itself
        for converted in convert.resample(frame):
            pcm = converted.to_ndarray().reshape(-1, channels)
            written += len(pcm)
            yield pcm.astype(np.float32) / np.float32(_FULL_SCALE)
    told = container.duration
    if told is not None and told / av.time_base - written / stream.rate > _SHORT_SECONDS:
        ended.append(
            f"should last {told / av.time_base:.1f} s, and its audio ends after "
            f"{written / stream.rate:.1f} s"
        )
