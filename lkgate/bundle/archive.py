"""``.lkb``: a bundle as one file, a zip of stored (uncompressed) entries.

There is one archive of a bundle, byte for byte: entries sorted by path, 1980-01-01, mode 0644, no
comment, no extra field. A reader writes that archive again and compares, so that no byte of the
container can be altered unseen; it needs no compression for that (audio is FLAC already), and
cannot be a bomb.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from lkgate.bundle.tree import check_tree, held
from lkgate.errors import BundleError

SUFFIX = ".lkb"
MAX_FILE_BYTES = 1 << 30
"""It is read as a whole."""
MAX_TOTAL_BYTES = (1 << 32) - (1 << 24)
"""Offsets have 32 bits."""

_VERSION = 20
_UTF8 = 0x800
_DATE = 0x21  # 1980-01-01
_UNIX = 3
_MODE = 0o100644
_DAMAGED = "Get the archive again from where it came, or make it with `lkgate pack`."
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    IndexError,
    OverflowError,
)
"""What ``zipfile`` raises for bytes that are no archive."""


class Archive:
    """An ``.lkb`` file. Names and sizes are checked; :meth:`check` does the rest."""

    def __init__(self, path: Path):
        self._path = path
        self.where = str(path)
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except _ZIP_ERRORS as error:
            raise self._damaged(f"no bundle archive: {error}") from None
        found: dict[str, int] = {}
        for entry in entries:
            if entry.filename in found:
                raise self._damaged(f"{entry.filename!r} is in it twice")
            if entry.compress_type != zipfile.ZIP_STORED or entry.is_dir():
                raise self._damaged(f"{entry.filename!r} is not a stored file")
            found[entry.filename] = entry.file_size
        check_tree(found, self.where)
        check_archive(found, self.where)
        if sum(found.values()) > path.stat().st_size:
            raise self._damaged("entries overlap")
        self.sizes: Mapping[str, int] = found

    def read(self, path: str) -> bytes:
        try:
            with zipfile.ZipFile(self._path) as archive:
                data = archive.read(path)
        except (*_ZIP_ERRORS, KeyError) as error:
            raise self._damaged(f"{path}: {error}") from None
        if len(data) != self.sizes[path]:
            raise self._damaged(f"{path}: truncated")
        return data

    def sha256(self, path: str) -> str:
        return hashlib.sha256(self.read(path)).hexdigest()

    def file(self, path: str) -> AbstractContextManager[IO[bytes]]:
        return held(self.read(path))

    def check(self) -> None:
        """Compare every byte with the one archive of these files.

        Raises:
            BundleError: if one differs.
        """
        with self._path.open("rb") as file:
            for chunk in archive_bytes(self.sizes, self.read):
                if file.read(len(chunk)) != chunk:
                    raise self._damaged("not as `lkgate pack` makes an archive")
            if file.read(1):
                raise self._damaged("bytes after its end")

    def _damaged(self, what: str) -> BundleError:
        return BundleError(what, where=self.where, next_step=_DAMAGED)


def check_archive(sizes: Mapping[str, int], where: str) -> None:
    """Refuse what no archive holds.

    Raises:
        BundleError: for too large a file, or too many bytes in all.
    """
    for path, size in sizes.items():
        if size > MAX_FILE_BYTES:
            raise _too_large(f"larger than {MAX_FILE_BYTES} bytes", f"{where}/{path}")
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        raise _too_large(f"more than {MAX_TOTAL_BYTES} bytes in all", where)


def _too_large(what: str, where: str) -> BundleError:
    return BundleError(
        f"{what}: too large for an archive",
        where=where,
        next_step="Keep it as a directory, or pack that with tar.",
    )


def archive_bytes(paths: Iterable[str], read: Callable[[str], bytes]) -> Iterator[bytes]:
    """The archive of files, in pieces.

    Args:
        paths: of the files, in any order; their bytes must be below 4 GiB in all.
        read: returns a file's bytes.
    """
    directory: list[bytes] = []
    offset = 0
    for path in sorted(paths):
        data = read(path)
        name = path.encode()
        common = struct.pack(
            "<HHHHHIIIHH",
            _VERSION,
            _UTF8,
            zipfile.ZIP_STORED,
            0,
            _DATE,
            zlib.crc32(data),
            len(data),
            len(data),
            len(name),
            0,
        )
        directory.append(
            struct.pack("<IBB", 0x02014B50, _VERSION, _UNIX)
            + common
            + struct.pack("<HHHII", 0, 0, 0, _MODE << 16, offset)
            + name
        )
        header = struct.pack("<I", 0x04034B50) + common + name
        yield header
        yield data
        offset += len(header) + len(data)
    tail = b"".join(directory)
    yield tail
    count = len(directory)
    yield struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(tail), offset, 0)
