"""What is to become of files: looked at first, and then done to all of them or to none."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lkgate.errors import ConfigError

What = Literal["created", "added to", "kept"]


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a repository, which may not be there yet.

    Attributes:
        name: as it is told.
        path: where it lies, links followed.
        have: what it holds, ``None`` if it is not there.
    """

    name: str
    path: Path
    have: bytes | None

    @classmethod
    def of(cls, path: Path, name: str, top: Path) -> Place:
        """The file at ``path``, of a repository at ``top``.

        Raises:
            ConfigError: a link leads nowhere or out of the repository, or something else than
                directories and a file is there.
            OSError: it cannot be read.
        """
        for part in (*reversed(path.parents), path):
            if part.is_symlink() and not part.exists():
                raise ConfigError(
                    f"this link leads nowhere (to {part.readlink()})",
                    where=str(part),
                    next_step="Remove it, or make what it leads to.",
                )
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(top):
            raise ConfigError(
                f"it lies outside of the repository, at {real}",
                where=str(path),
                next_step="Put a file of its own there.",
            )
        for part in real.parents:
            if part.exists() and not part.is_dir():
                raise ConfigError(
                    f"this is no directory, so there can be no {name}",
                    where=str(part),
                    next_step="Rename it.",
                )
        if not real.exists():
            return cls(name, real, None)
        if not stat.S_ISREG(real.stat().st_mode):
            raise ConfigError("this is no file", where=str(path), next_step="Rename it.")
        return cls(name, real, real.read_bytes())


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one file.

    Attributes:
        add: to the file's end; ``None`` keeps it as it is.
        why: of a file that is kept, or of its place.
    """

    place: Place
    add: bytes | None
    why: str = ""

    @property
    def what(self) -> What:
        """In a word."""
        if self.add is None:
            return "kept"
        return "created" if self.place.have is None else "added to"


def carry_out(changes: Sequence[Change]) -> None:
    """Do all of ``changes``, or none.

    Raises:
        OSError: a file cannot be written. Everything is as it was.
    """
    with contextlib.ExitStack() as undo:
        for one in changes:
            if one.add is None:
                continue
            path, have = one.place.path, one.place.have
            for directory in reversed(list(_lacking(path.parent))):
                directory.mkdir()
                undo.callback(directory.rmdir)
            if have is None:
                # Not through a link that came since.
                with path.open("xb") as file:
                    undo.callback(path.unlink)
                    file.write(one.add)
            else:
                with path.open("ab") as file:
                    undo.callback(os.truncate, path, len(have))
                    file.write(one.add)
        undo.pop_all()


def _lacking(directory: Path) -> Iterator[Path]:
    while not directory.exists():
        yield directory
        directory = directory.parent
