"""The directory of a recording that is no bundle yet: whose it is, and what becomes of it."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lkgate.bundle import close_journal
from lkgate.bundle.journal import DIRECTORY
from lkgate.bundle.journal_reader import read_journal
from lkgate.cassette import merge
from lkgate.cassette.store import INDEX
from lkgate.errors import ConfigError, RecordError
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json

UNFINISHED = ".unfinished"
PARTS = "cassette-parts"
CASSETTE = "cassette"
_STEPS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Make room on the disk"),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST), "Move away what is in the way"),
}


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Nobody else records into ``directory``, or recovers it, meanwhile; a kill ends this as well.

    Raises:
        ConfigError: if somebody does.
    """
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                "is being recorded by another process",
                where=str(directory),
                next_step="It becomes a bundle when that one ends: stop it with SIGTERM or Ctrl-C.",
            ) from None
        except OSError:
            pass  # a file system without locks, as some networks'
        yield
    finally:
        os.close(handle)


@contextmanager
def begun(directory: Path) -> Iterator[None]:
    """Make ``directory`` for a recording and hold it; it goes at the end if no journal is in it.

    Raises:
        RecordError: if it cannot be made.
    """
    with writing(directory):
        directory.mkdir(parents=True)
    with held(directory):
        try:
            yield
        finally:
            if not (directory / DIRECTORY).is_dir():
                shutil.rmtree(directory, ignore_errors=True)


def recover(directory: Path, *, out: Path | None = None) -> Path:
    """Close the recording that a crash left in ``directory`` and return the bundle's directory.

    Args:
        directory: ``<name>.unfinished``.
        out: the bundle's directory; ``None``: ``<name>`` beside it.

    Raises:
        ConfigError: if there is no unfinished recording, one that still goes on, or ``out`` exists.
        BundleError: if what is there cannot be made a bundle.
        RecordError: if the disk cannot be written; nothing is lost then.
    """
    if not (directory / DIRECTORY).is_dir():
        raise ConfigError(
            "there is no unfinished recording here",
            where=str(directory),
            next_step=f"A recording that was cut off ends in {UNFINISHED}.",
        )
    if out is None:
        name = directory.resolve().name
        out = directory.resolve().with_name(
            name.removesuffix(UNFINISHED)
            if name.endswith(UNFINISHED) and name != UNFINISHED
            else f"{name.lstrip('.')}-recovered"
        )
    refuse_existing(out)
    with held(directory), writing(directory):
        # Its first line is on disk before anything else, unless the power went right then.
        otherwise: dict[str, Json] = {"id": out.name, "source": "record"}
        header = read_journal(directory, otherwise=otherwise).header
        started, room = header.get("started_at_unix_us"), header.get("room")
        if not (directory / CASSETTE / INDEX).exists() and isinstance(started, int):
            merge(
                directory / PARTS,
                directory / CASSETTE,
                started_at_unix_us=started,
                room=str(room),
            )
        close(directory, out, otherwise)
    return out


def place_of(out: Path) -> Path:
    """Where the recording that is to become ``out`` is until then.

    Raises:
        ConfigError: if something is there, or at ``out``.
    """
    refuse_existing(out)
    directory = out.with_name(out.name + UNFINISHED)
    if directory.exists():
        with held(directory):
            pass
        raise ConfigError(
            "an earlier recording was cut off here",
            where=str(directory),
            next_step=f"Run 'lkgate recover {directory}', or remove it.",
        )
    return directory


def refuse_existing(out: Path) -> None:
    """Raise ``ConfigError`` if there is something at ``out``."""
    if out.exists():
        raise ConfigError(
            "there is something already", where=str(out), next_step="Name another with --out."
        )


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """A disk that cannot be written is a :class:`RecordError`, and tells what is left to do."""
    try:
        yield
    except OSError as error:
        kept = (directory / DIRECTORY).is_dir()
        step = _STEPS.get(error.errno or 0, "Make the place writable")
        then = f", then run 'lkgate recover {directory}': what was written until then is there."
        raise RecordError(
            f"the recording could not be written: {error.strerror or error}",
            where=str(directory if error.filename is None else error.filename),
            next_step=f"{step}{then if kept else ', or name another with --out.'}",
        ) from error


def drop_if_empty(directory: Path) -> bool:
    """Remove a recording that heard nobody. Whether it did."""
    if any((directory / DIRECTORY).glob("*.pcm")):
        return False
    shutil.rmtree(directory, ignore_errors=True)
    return True


def close(directory: Path, out: Path, otherwise: Mapping[str, Json] | None = None) -> Bundle:
    """Make the bundle ``out`` of what is in ``directory``, which goes then."""
    bundle = close_journal(directory, out, otherwise=otherwise)
    shutil.rmtree(directory)
    return bundle
