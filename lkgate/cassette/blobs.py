"""Content-addressed files beside the index: speech, and long texts that repeat.

``blobs/<sha256>`` is the content as it is, ``<sha256>.z`` the same through zlib, ``<sha256>.flac``
mono 16-bit speech as FLAC. The digest is always that of the content, and is checked on reading.
Compression happens after a recording, in :mod:`lkgate.cassette.compact`.
"""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path

from lkgate.bundle.canonical import sha256
from lkgate.errors import BundleError

DIRECTORY = "blobs"
ZLIB = ".z"
FLAC = ".flac"
MAX_BYTES = 1 << 30


class Blobs:
    """The blobs of one cassette."""

    def __init__(self, cassette: Path):
        self._directory = cassette / DIRECTORY
        self._kept: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        """Write ``content`` unless it is there, and return its digest. A crash leaves no half."""
        digest = sha256(content)
        path = self._directory / digest
        if not any(self._directory.glob(f"{digest}*")):
            self._directory.mkdir(parents=True, exist_ok=True)
            # Another process may write the same content at the same time.
            made = path.with_name(f"{digest}.{os.getpid()}.new")
            made.write_bytes(content)
            made.replace(path)
        return digest

    def get(self, digest: str) -> bytes:
        """The content of a blob.

        Raises:
            BundleError: if it is not there, or not what its name says.
        """
        if digest not in self._kept:
            self._kept[digest] = self._read(digest)
        return self._kept[digest]

    def _read(self, digest: str) -> bytes:
        where = str(self._directory / digest)
        if not (len(digest) == 64 and set(digest) <= set("0123456789abcdef")):
            raise BundleError(f"no name of a blob: {digest[:80]!r}", where=str(self._directory))
        for suffix, decode in (("", bytes), (ZLIB, _inflate), (FLAC, _decode_flac)):
            path = self._directory / f"{digest}{suffix}"
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            try:
                content = decode(data)
            except (ValueError, zlib.error) as error:
                raise BundleError(f"cannot be decoded: {error}", where=str(path)) from None
            if sha256(content) != digest:
                raise BundleError("is not what was recorded", where=str(path))
            return content
        raise BundleError("a recorded answer has lost its content", where=where)


def _inflate(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    content = stream.decompress(data, MAX_BYTES)
    if stream.unconsumed_tail or not stream.eof or stream.unused_data:
        raise ValueError("larger than allowed, or torn")
    return content


def _decode_flac(data: bytes) -> bytes:
    # PyAV: a dependency of livekit-agents, so it is there wherever answers are replayed.
    import av
    import av.error

    made = bytearray()
    try:
        with av.open(io.BytesIO(data), mode="r", format="flac") as container:
            stream = container.streams.audio[0]
            stream.codec_context.thread_count = 1  # threads would not survive a fork
            for frame in container.decode(stream):
                if frame.format.name != "s16" or frame.layout.nb_channels != 1:
                    raise ValueError("not mono 16-bit speech")
                made += bytes(frame.planes[0])[: frame.samples * 2]
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(str(error)) from None
    return bytes(made)
