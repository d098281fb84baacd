"""The process's own streams, made so that who reads them cannot change how a command ends."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDERR = 2


class _Kept(io.FileIO):
    """A descriptor whose reader may leave (`lkgate show ... | head -1`): the rest is dropped.

    Any other failure, as of a full disk, is raised once; never of stderr, where nothing more could
    be said of it.
    """

    lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        if not self.lost:
            try:
                return super().write(data)
            except BrokenPipeError:
                self.lost = True
            except OSError:
                # What is still buffered is written when the process ends, which would then be 120.
                self.lost = True
                if self.fileno() != _STDERR:
                    raise
        return memoryview(data).nbytes


def keep_streams() -> None:
    """Let stdin, stdout and stderr be closed, and the readers of the last two leave.

    A command goes on to its end then: a replay writes its reports and ends as its verdict says, a
    recording is not cut off. Streams that another program put there stay as they are.
    """
    # In the descriptors' order: an open file takes the first that is free.
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - the process's own
    sys.stdout = _kept(sys.stdout, sys.__stdout__)
    sys.stderr = _kept(sys.stderr, sys.__stderr__)


def _kept(stream: TextIO | None, own: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if stream is not own or not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = _Kept(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
