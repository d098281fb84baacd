"""Whether an audio file was cut off.

Decoders take a file that ends early for a shorter one; so the container itself is asked.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_OGG_PAGE = struct.Struct("<4sBBqIIIB")
_LAST_PAGE = 4
# Sizes that a writer leaves in a header which it cannot go back to.
_STREAMED = (0, 0xFFFFFFFF, 0x7FFFFFFF)


def cut_short(path: Path) -> str | None:
    """How an Ogg or a WAV lacks its end; ``None`` if it does not, or is something else."""
    with path.open("rb") as file:
        head = file.read(12)
        size = path.stat().st_size
        if head[:4] == b"OggS":
            return _ogg(file, size)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            return _wav(head, size)
    return None


def _ogg(file: BinaryIO, size: int) -> str | None:
    """Source: RFC 3533, section 6. Every logical stream ends with a page that is marked as last."""
    at = 0
    open_streams: set[int] = set()
    while at < size:
        file.seek(at)
        header = file.read(_OGG_PAGE.size)
        if len(header) < _OGG_PAGE.size:
            return f"ends within a page of Ogg, at byte {size}"
        magic, _, kind, _, serial, _, _, segments = _OGG_PAGE.unpack(header)
        if magic != b"OggS":
            return f"has no page of Ogg at byte {at}"
        lacing = file.read(segments)
        at += _OGG_PAGE.size + segments + sum(lacing)
        if len(lacing) < segments or at > size:
            return f"ends within a page of Ogg, at byte {size}"
        if kind & _LAST_PAGE:
            open_streams.discard(serial)
        else:
            open_streams.add(serial)
    return "ends before its last page of Ogg" if open_streams else None


def _wav(head: bytes, size: int) -> str | None:
    told = int.from_bytes(head[4:8], "little")
    if told in _STREAMED or told + 8 <= size:
        return None
    return f"should be {told + 8} bytes long, and is {size}"
