"""What a process of a live worker writes while it runs: ``part-<pid>.jsonl``, beside ``blobs/``.

Lines are appended and synced as things happen, so that a killed process loses nothing that had
ended. Times are microseconds of the machine's wall clock; :mod:`lkgate.cassette.merge` makes them
session time. A line is an object with a ``kind``::

    exchange  modality, t_us, request, response
    listen    id, t_us, request, base_us       a stream of a recogniser has begun,
    heard     id, event                        said something,
    listened  id, t_us, ending, error          and ended
    worker    agent_name, id                   the worker was registered
    session   vad, turn_detection, ...         the session said what it is made of
    unsupported  what                          something took part that no cassette can hold

and with ``room`` and ``job`` where a job is known.
"""

from __future__ import annotations

import itertools
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from lkgate.bundle.canonical import JsonLike, compact, sha256
from lkgate.cassette.blobs import Blobs
from lkgate.cassette.packing import pack
from lkgate.model.event import Json
from lkgate.model.turn import Modality
from lkgate.secret import Secrets

PATTERN = "part-*.jsonl"


class Sink(Protocol):
    """Where finished exchanges go: a part, or :class:`lkgate.cassette.store.NewCassette`."""

    def put(self, content: bytes) -> str:
        """Write a blob and return its digest."""

    def add(
        self,
        modality: Modality,
        t_us: int,
        request: Mapping[str, Json],
        response: Mapping[str, Json],
    ) -> None:
        """Write an exchange; ``request`` is in full."""


class Part:
    """The part of this process; :meth:`forked` in a child begins another.

    Nothing here raises: a full disk must not end the call that is recorded. What could not be
    written is said on stderr, and in the part if that can still be written.

    Args:
        directory: shared by all processes of a worker.
        where: the room and the job that run now, ``None`` where there is none.
        secrets: what must not be written, asked for at each line: a program may load more.
    """

    def __init__(
        self,
        directory: Path,
        where: Callable[[], tuple[str, str] | None],
        secrets: Callable[[], Secrets] = Secrets,
    ):
        self._secrets = secrets
        self._directory = directory
        self._where = where
        self._blobs = Blobs(directory)
        self._numbers = itertools.count()
        self._descriptor: int | None = None
        self._unsynced: queue.SimpleQueue[int] | None = None

    def forked(self) -> None:
        """A child writes into a file of its own, and has no thread of its parent's."""
        self._descriptor = None
        self._unsynced = None

    def put(self, content: bytes) -> str:
        """Write a blob and return its digest."""
        try:
            return self._blobs.put(content)
        except OSError as error:
            self._lost(error)
            return sha256(content)

    def add(
        self,
        modality: Modality,
        t_us: int,
        request: Mapping[str, Json],
        response: Mapping[str, Json],
    ) -> None:
        """Write an exchange; ``request`` is in full."""
        try:
            packed = pack(self._secrets().hide_in(request), self.put)
        except ValueError as error:  # text that is no Unicode
            self._no_json("exchange", error)
            return
        fields = {"modality": modality, "t_us": t_us, "request": packed, "response": response}
        self.write("exchange", fields)

    def listen(self, t_us: int, request: Mapping[str, Json], base_us: int) -> str:
        """A recogniser's stream has begun; returns its id."""
        id = f"{os.getpid()}-{next(self._numbers)}"
        self.write("listen", {"id": id, "t_us": t_us, "request": request, "base_us": base_us})
        return id

    def heard(self, id: str, event: Mapping[str, Json]) -> None:
        """A stream said something."""
        self.write("heard", {"id": id, "event": event})

    def listened(self, id: str, t_us: int, ending: str, error: Json) -> None:
        """A stream has ended."""
        self.write("listened", {"id": id, "t_us": t_us, "ending": ending, "error": error})

    def write(self, kind: str, fields: Mapping[str, JsonLike]) -> None:
        """Append a line of any kind."""
        line: dict[str, JsonLike] = {"kind": kind, **self._secrets().hide_in(fields)}
        where = self._where()
        if where is not None:
            line["room"], line["job"] = where
        try:
            self._append(f"{compact(line)}\n".encode())
        except (OSError, ValueError, TypeError) as error:  # the last two: nothing JSON can hold
            if isinstance(error, OSError):
                self._lost(error)
            else:
                self._no_json(kind, error)

    def _no_json(self, kind: str, error: Exception) -> None:
        self._lost(error)
        self.write("unsupported", {"what": f"{kind} that is no JSON: {error}"})

    def _lost(self, error: Exception) -> None:
        sys.stderr.write(f"lkgate: not recorded: {type(error).__name__}: {error}\n")

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            path = self._directory / f"part-{os.getpid()}.jsonl"
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(self._descriptor, line)
        self._sync(self._descriptor)

    def _sync(self, descriptor: int) -> None:
        # On a thread: the disk may take its time, and the agent's audio must not wait for it.
        if self._unsynced is None:
            self._unsynced = queue.SimpleQueue()
            threading.Thread(
                target=_sync, args=(self._unsynced,), name="lkgate-sync", daemon=True
            ).start()
        self._unsynced.put(descriptor)


def _sync(unsynced: queue.SimpleQueue[int]) -> None:
    while True:
        descriptor = unsynced.get()
        while not unsynced.empty():
            descriptor = unsynced.get()
        os.fdatasync(descriptor)
