"""The files of a bundle, wherever they are: a directory, an archive, or a part of either."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from lkgate.bundle.paths import unsafe
from lkgate.errors import BundleError

MAX_FILES = 20_000
MAX_FILE_BYTES = 1 << 33
"""More than a day of audio at 48 kHz that cannot be compressed. What is read as a whole has smaller
limits of its own."""

LEFTOVER = ".tmp"
"""How the names of directories end that a writer renames when they are whole."""

_CHUNK = 1 << 20


class Tree(Protocol):
    """Read access to files by their path; nothing is trusted but the names and sizes."""

    @property
    def where(self) -> str:
        """What to call the tree in errors."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Every file's size in bytes, by path."""

    def read(self, path: str) -> bytes:
        """A whole file.

        Raises:
            BundleError: if it cannot be read, or is not of the size in ``sizes``.
        """

    def sha256(self, path: str) -> str:
        """A file's hex digest; raises as ``read``."""

    def file(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """An open file of the system's with these bytes, at its beginning; raises as ``read``."""


class Directory:
    """A directory; links and special files in it are refused."""

    def __init__(self, root: Path):
        self._root = root
        self.where = str(root)
        found: dict[str, int] = {}
        try:
            self._scan(root, "", found)
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}", where=self.where) from None
        check_tree(found, self.where)
        self.sizes: Mapping[str, int] = found

    def read(self, path: str) -> bytes:
        try:
            data = (self._root / path).read_bytes()
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}", where=self._at(path)) from None
        if len(data) != self.sizes[path]:
            raise BundleError("changed while it was read", where=self._at(path))
        return data

    def sha256(self, path: str) -> str:
        digest = hashlib.sha256()
        try:
            with (self._root / path).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}", where=self._at(path)) from None
        return digest.hexdigest()

    @contextmanager
    def file(self, path: str) -> Iterator[IO[bytes]]:
        try:
            file = (self._root / path).open("rb")
        except OSError as error:
            raise BundleError(f"cannot be read: {error.strerror}", where=self._at(path)) from None
        with file:
            yield file

    def _at(self, path: str) -> str:
        return f"{self.where}/{path}"

    def _scan(self, directory: Path, prefix: str, found: dict[str, int]) -> None:
        with os.scandir(directory) as entries:
            for entry in entries:
                path = prefix + entry.name
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    self._scan(Path(entry.path), path + "/", found)
                elif stat.S_ISREG(status.st_mode):
                    found[path] = status.st_size
                else:
                    raise BundleError(
                        "a bundle holds plain files only, no links or devices",
                        where=self._at(path),
                        next_step="Delete it, or put the file itself in its place.",
                    )
                if len(found) > MAX_FILES:
                    raise BundleError(f"more than {MAX_FILES} files", where=self.where)


class Subtree:
    """The files of a tree below one of its directories."""

    def __init__(self, tree: Tree, directory: str):
        self._tree = tree
        self._prefix = directory + "/"
        self.where = f"{tree.where}/{directory}"
        self.sizes: Mapping[str, int] = {
            path.removeprefix(self._prefix): size
            for path, size in tree.sizes.items()
            if path.startswith(self._prefix)
        }

    def read(self, path: str) -> bytes:
        return self._tree.read(self._prefix + path)

    def sha256(self, path: str) -> str:
        return self._tree.sha256(self._prefix + path)

    def file(self, path: str) -> AbstractContextManager[IO[bytes]]:
        return self._tree.file(self._prefix + path)


class Overlay:
    """A tree in which one file has other content, to see whether that would be whole."""

    def __init__(self, tree: Tree, path: str, data: bytes):
        self._tree = tree
        self._path = path
        self._data = data
        self.where = tree.where
        self.sizes: Mapping[str, int] = {**tree.sizes, path: len(data)}

    def read(self, path: str) -> bytes:
        return self._data if path == self._path else self._tree.read(path)

    def sha256(self, path: str) -> str:
        if path == self._path:
            return hashlib.sha256(self._data).hexdigest()
        return self._tree.sha256(path)

    def file(self, path: str) -> AbstractContextManager[IO[bytes]]:
        return held(self.read(path))


@contextmanager
def held(data: bytes) -> Iterator[IO[bytes]]:
    """A file of the system's with ``data``, at its beginning."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file


def check_tree(sizes: Mapping[str, int], where: str) -> None:
    """Refuse names and sizes that no bundle has.

    Raises:
        BundleError: for an unsafe path, two paths that are one on some systems, too many files
            or too large a file.
    """
    _check_paths(sizes, where)
    if len(sizes) > MAX_FILES:
        raise BundleError(f"more than {MAX_FILES} files", where=where)
    for path, size in sizes.items():
        if size > MAX_FILE_BYTES:
            raise BundleError(f"larger than {MAX_FILE_BYTES} bytes", where=f"{where}/{path}")


def _check_paths(paths: Iterable[str], where: str) -> None:
    folded: dict[str, str] = {}
    for path in paths:
        if path.split("/")[0].endswith(LEFTOVER):
            raise BundleError(
                "is what an interrupted lkgate left behind",
                where=f"{where}/{path.split('/')[0]}",
                next_step=f"Run `lkgate seal {where}`, which removes it."
                if path.startswith(".manifest.json.")
                else "Delete it.",
            )
        reason = unsafe(path)
        if reason is not None:
            raise BundleError(f"{path!r} is no path of a bundle: {reason}", where=where)
        other = folded.setdefault(path.casefold(), path)
        if other != path:
            raise BundleError(f"{other!r} and {path!r} differ only in case", where=where)
