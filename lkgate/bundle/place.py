"""Putting files and directories in place whole: written beside, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from lkgate.bundle.tree import LEFTOVER
from lkgate.errors import BundleError


@contextmanager
def new_directory(
    out: Path, *, durable: bool, replace: bool = False, beside: Path | None = None
) -> Iterator[Path]:
    """A directory to fill that becomes ``out`` if the block ends without an error.

    Args:
        out: must not exist, except as an empty directory.
        durable: whether it must survive a power cut once this returns.
        replace: whether a directory ``out`` is replaced. A crash between the two renames is
            mended by :func:`mend_directory`.
        beside: on the same file system; what is not ``out`` yet, or not any more, lies beside it
            and is called after it. ``out`` itself unless given.

    Raises:
        BundleError: if ``out`` is in the way, or its parent cannot be written.
    """
    if not replace and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BundleError(
            "already exists", where=str(out), next_step="Choose another place, or move it away."
        )
    near = beside or out
    made = _beside(near, "new")
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        _remove(made)
        made.mkdir()
    except OSError as error:
        raise BundleError(f"cannot be written: {error.strerror}", where=str(out)) from None
    try:
        yield made
        if durable:
            _sync_below(made)
        if replace and out.exists():
            old = _beside(near, "old")
            _remove(old)
            out.rename(old)
            made.rename(out)
            _remove(old)
        else:
            made.rename(out)
        if durable:
            _sync(out.parent)
    finally:
        _remove(made)


def mend_directory(out: Path, beside: Path) -> None:
    """Undo what a crash within :func:`new_directory` left, with ``replace``.

    A directory that was moved away for a new one that never came is back; the rest goes.
    """
    for old in _left_beside(beside, "old"):
        if out.exists():
            _remove(old)
        else:
            old.rename(out)
    for made in _left_beside(beside, "new"):
        _remove(made)


@contextmanager
def new_file(out: Path) -> Iterator[Path]:
    """A path to write that replaces the file ``out`` if the block ends without an error."""
    made = _beside(out, "new")
    try:
        yield made
        _sync(made)
        made.replace(out)
        _sync(out.parent)
    finally:
        made.unlink(missing_ok=True)


def remove_leftovers(directory: Path, name: str = "") -> None:
    """Remove the files right in ``directory`` that :func:`new_file` did not finish.

    Args:
        name: of the file that was to be replaced; of any if it is empty.
    """
    for path in directory.glob(f".{name}*.new-*{LEFTOVER}"):
        if path.is_file():
            path.unlink()


def _beside(out: Path, what: str) -> Path:
    return out.with_name(f".{out.name}.{what}-{os.getpid()}{LEFTOVER}")


def _left_beside(path: Path, what: str) -> list[Path]:
    found = path.parent.glob(f".{escape(path.name)}.{what}-*{LEFTOVER}")
    return sorted(one for one in found if one.is_dir())


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


def _sync_below(directory: Path) -> None:
    for path in sorted(directory.rglob("*")):
        _sync(path)
    _sync(directory)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
