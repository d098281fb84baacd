"""What a recorder made in its directory: the only things there that it may ever remove.

``<directory>/.lkgate-watch.jsonl`` has a line for each recording that was begun
(``{"op": "begun", "name"}``), bundle that was closed (``{"op": "made", "name", "manifest_sha256",
"bytes", "closed_at_unix_us"}``, with ``"hook": true`` if one is to be run for it), bundle whose
hook has ended (``{"op": "hooked", "name"}``), and bundle or recording that is no more
(``{"op": "gone", "name"}``).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from lkgate.bundle import read
from lkgate.bundle.manifest import MANIFEST
from lkgate.bundle.place import new_file
from lkgate.errors import BundleError, ConfigError

LEDGER = ".lkgate-watch.jsonl"
LOCK = ".lkgate-watch.lock"
# Lines beyond those that are needed.
_SLACK = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that this recorder, or one before it in this directory, closed."""

    name: str
    manifest_sha256: str
    bytes: int
    closed_at_unix_us: int


class Ledger:
    """The ledger of one directory, for any thread. Made by :func:`ledger`."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._path = directory / LEDGER
        self._begun: set[str] = set()
        self._made: dict[str, Made] = {}
        self._due: set[str] = set()
        self._lines = 0
        self._lock = Lock()
        self._read()

    @property
    def begun(self) -> list[str]:
        """Names of recordings that were begun and neither closed nor given up."""
        with self._lock:
            return sorted(self._begun)

    def present(self) -> list[Made]:
        """The bundles that are still there."""
        with self._lock:
            made = list(self._made.values())
        return [one for one in made if (self.directory / one.name).is_dir()]

    @property
    def due(self) -> list[str]:
        """Names of bundles that are still there and whose hook has not ended."""
        with self._lock:
            return sorted(name for name in self._due if (self.directory / name).is_dir())

    def begin(self, name: str) -> None:
        """To be called before anything of the recording is written.

        Raises:
            OSError: if it cannot be noted; nothing has changed then.
        """
        self._append({"op": "begun", "name": name})

    def close(self, name: str, *, now_unix_us: int, hook: bool = False) -> Made:
        """Take the bundle of this name, which was just closed, as one to remove some day.

        Args:
            hook: whether one is to be run for it, until :meth:`hooked` says that it was.
        """
        path = self.directory / name
        made = Made(name, _manifest_sha256(path), _bytes(path), now_unix_us)
        self._append(_line(made, hook=hook))
        return made

    def hooked(self, name: str) -> None:
        """The hook for the bundle of this name has ended."""
        self._append({"op": "hooked", "name": name})

    def forget(self, name: str) -> None:
        """There is nothing of this name any more, or it is somebody else's now."""
        self._append({"op": "gone", "name": name})

    def remove(self, made: Made) -> str | None:
        """Remove a bundle, unless it is not exactly what was closed: then say why it stays.

        Somebody who added labels or a baseline to a bundle, or edited it, has made it theirs.

        Raises:
            OSError: if it cannot be removed.
        """
        path = self.directory / made.name
        reason = _not_ours(path, made)
        if reason is None:
            gone = self._removed(made.name)
            path.rename(gone)
            shutil.rmtree(gone)
        self.forget(made.name)
        return reason

    def _removed(self, name: str) -> Path:
        return self.directory / f".{name}.removed"

    def _read(self) -> None:
        if not self._path.exists():
            return
        *lines, torn = self._path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError):
                raise ConfigError(
                    "this is no line of a recorder's ledger",
                    where=f"{self._path}:{number}",
                    next_step="Move the file away: bundles made until now are then never removed.",
                ) from None
        for name in self._made:
            if self._removed(name).is_dir():  # A crash came between.
                shutil.rmtree(self._removed(name))
        self._lines = len(lines)
        if torn:
            self._compact()

    def _take(self, line: dict[str, str | int]) -> None:
        op, name = line["op"], str(line["name"])
        if Path(name).name != name:
            raise ValueError(name)
        self._due.discard(name)
        if op == "hooked":
            return
        self._begun.discard(name)
        self._made.pop(name, None)
        if op == "begun":
            self._begun.add(name)
        elif op == "made":
            self._made[name] = Made(
                name,
                str(line["manifest_sha256"]),
                int(line["bytes"]),
                int(line["closed_at_unix_us"]),
            )
            if line.get("hook"):
                self._due.add(name)
        elif op != "gone":
            raise ValueError(op)

    def _compact(self) -> None:
        lines: list[dict[str, str | int]]
        lines = [{"op": "begun", "name": name} for name in sorted(self._begun)]
        lines += [_line(one, hook=one.name in self._due) for one in self._made.values()]
        with new_file(self._path) as made:
            made.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self._lines = len(lines)

    def _append(self, line: dict[str, str | int]) -> None:
        with self._lock:
            _append(self._path, json.dumps(line).encode() + b"\n")
            self._take(line)
            self._lines += 1
            if self._lines > _SLACK + 2 * (len(self._begun) + len(self._made)):
                with suppress(OSError):  # A long ledger does no harm.
                    self._compact()


@contextmanager
def ledger(directory: Path) -> Iterator[Ledger]:
    """The ledger of ``directory``, which is made if need be, for one recorder at a time.

    Raises:
        ConfigError: if another one holds it, it cannot be made, or its ledger is none.
        OSError: if the directory cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:  # below /proc, for one
        raise ConfigError(
            f"no directory can be made here: {error.strerror}",
            where=str(directory),
            next_step="Name another with --out.",
        ) from None
    with (directory / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                "another 'lkgate record --watch' writes here",
                where=str(directory),
                next_step="Give each recorder a directory of its own with --out.",
            ) from None
        yield Ledger(directory)


def _line(made: Made, *, hook: bool) -> dict[str, str | int]:
    return {"op": "made", **asdict(made), **({"hook": True} if hook else {})}


def _append(path: Path, line: bytes) -> None:
    """The whole line on disk, or nothing of it: on a full disk, only a part goes in.

    Raises:
        OSError: nothing of it is there.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        before = os.fstat(file).st_size
        try:
            if os.write(file, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file)
        except OSError:
            os.ftruncate(file, before)
            raise
    finally:
        os.close(file)


def _not_ours(path: Path, made: Made) -> str | None:
    if path.is_symlink() or not path.is_dir():
        return "it is no directory any more"
    try:
        if _manifest_sha256(path) != made.manifest_sha256:
            return "it was changed"
        listed = {entry.path for entry in read(path).manifest.files} | {MANIFEST}
    except (OSError, BundleError) as error:
        return f"it was changed: {error}"
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
    return "something was added to it" if found != listed else None


def _manifest_sha256(path: Path) -> str:
    return hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
