"""An open bundle on disk: appended to while a session runs, closed into a bundle afterwards.

Standard library only: this module also runs inside the candidate's interpreter.

Layout, below the directory given to :meth:`Journal.create`::

    journal/header.jsonl   JSON objects, merged in order, later fields win
    journal/events.jsonl   {"t_us", "kind", "data"} in order of arrival
    journal/tracks.jsonl   one line a track
    journal/<id>.pcm       mono signed 16-bit little-endian samples of that track

Every line is whole or was torn by a crash at the file's very end, and a track's line is handed to
the operating system before its first sample, so a reader can close a journal cut at any byte.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from lkgate.model.bundle import Role
from lkgate.model.event import Json
from lkgate.secret import Secrets

DIRECTORY = "journal"
HEADER = "header.jsonl"
EVENTS = "events.jsonl"
TRACKS = "tracks.jsonl"
PCM_SUFFIX = ".pcm"
TRACK_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")

_BUFFER_BYTES = 1 << 16
_NONE = Secrets()


class TrackWriter:
    """Appends the samples of one track. Made by :meth:`Journal.track`."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._bytes = 0

    @property
    def samples(self) -> int:
        """Whole samples written so far."""
        return self._bytes // 2

    def write(self, pcm: bytes) -> None:
        """Append mono signed 16-bit little-endian samples.

        Raises:
            ValueError: if ``pcm`` ends within a sample, or the journal is closed.
        """
        if len(pcm) % 2:
            raise ValueError(f"{len(pcm)} bytes are not whole 16-bit samples")
        self._file.write(pcm)
        self._bytes += len(pcm)


class Journal:
    """The writer's side of a session's evidence.

    Lines reach the disk in the order of the calls. ``event`` and ``track`` only buffer;
    :meth:`sync` makes everything before it survive a power cut. Not safe for concurrent calls,
    except that ``sync`` may run on another thread than the writers.
    """

    def __init__(self, directory: Path, secrets: Secrets):
        """Open the files of an existing, empty ``directory/journal``; use :meth:`create`."""
        self._secrets = secrets
        self._root = directory / DIRECTORY
        self._header = self._open(HEADER)
        self._events = self._open(EVENTS)
        self._tracks = self._open(TRACKS)
        self._pcm: dict[str, BinaryIO] = {}
        self._names_on_disk = 0
        self._closed = False

    @classmethod
    def create(
        cls, directory: Path, *, header: Mapping[str, Json], secrets: Secrets = _NONE
    ) -> Journal:
        """Start a journal below ``directory``, which is made if need be.

        Args:
            directory: must hold no journal yet.
            header: what is known at the start: ``id``, ``source``, ``room``,
                ``started_at_unix_us``; see ``lkgate.bundle.close`` for all fields read.
            secrets: what no event may hold.

        Raises:
            FileExistsError: if there already is a journal.
        """
        (directory / DIRECTORY).mkdir(parents=True)
        journal = cls(directory, secrets)
        journal.update_header(**header)
        return journal

    def event(self, t_us: int, kind: str, data: Mapping[str, Json]) -> None:
        """Append one event.

        A float that JSON cannot hold (NaN, infinity) is written as null, and text that is no
        Unicode (a lone surrogate) with a question mark in its place.

        Args:
            t_us: session time in microseconds, never negative.
            kind: LiveKit's event name, or one that begins with ``lkgate.``.
            data: plain JSON.

        Raises:
            ValueError: if ``t_us`` is negative or the journal is closed.
            TypeError: if ``data`` is not plain JSON.
        """
        if t_us < 0:
            raise ValueError(f"event {kind} at {t_us} us: before the session's start")
        told = self._secrets.hide_in(data)
        self._events.write(_line({"t_us": t_us, "kind": kind, "data": told}))

    def track(
        self,
        track_id: str,
        *,
        role: Role,
        participant: str,
        sid: str | None,
        sample_rate_hz: int,
        offset_us: int,
    ) -> TrackWriter:
        """Begin a track.

        Args:
            track_id: unique in the journal: lower-case letters, digits, ``-`` and ``_``.
            role, participant, sid: who speaks on it.
            sample_rate_hz: of the samples that will be written.
            offset_us: session time of the first sample; may be negative.

        Raises:
            ValueError: if the id is malformed or taken, or the journal is closed.
        """
        if not TRACK_ID.fullmatch(track_id):
            raise ValueError(f"track id {track_id!r} does not match {TRACK_ID.pattern}")
        if track_id in self._pcm:
            raise ValueError(f"track id {track_id!r} is taken")
        self._tracks.write(
            _line(
                {
                    "id": track_id,
                    "role": role,
                    "participant": participant,
                    "sid": sid,
                    "sample_rate_hz": sample_rate_hz,
                    "offset_us": offset_us,
                }
            )
        )
        self._tracks.flush()
        file = self._open(track_id + PCM_SUFFIX)
        self._pcm[track_id] = file
        return TrackWriter(file)

    def update_header(self, **fields: Json) -> None:
        """Set header fields; a later value replaces an earlier one."""
        self._header.write(_line(fields))
        self._header.flush()

    def sync(self) -> None:
        """Flush and fsync every file, and the directory when files were added to it."""
        files = (self._header, self._events, self._tracks, *tuple(self._pcm.values()))
        for file in files:
            file.flush()
            os.fsync(file.fileno())
        if len(files) != self._names_on_disk and os.name == "posix":
            directory = os.open(self._root, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
            self._names_on_disk = len(files)

    def finish(self, *, duration_us: int) -> None:
        """Say that the session ended by itself after ``duration_us``, and close the files.

        Flushed, not fsynced: who needs that calls :meth:`sync` first.
        """
        for file in (self._events, *self._pcm.values()):
            file.flush()
        self.update_header(duration_us=duration_us, finished=True)
        self.close()

    def close(self) -> None:
        """Flush and close the files without saying that the session ended. Idempotent."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as files:
            # Every one of them, even if the disk is full: the first that fails is raised at last.
            for file in (self._header, self._events, self._tracks, *self._pcm.values()):
                files.callback(file.close)

    def _open(self, name: str) -> BinaryIO:
        # "x": a journal is never appended to by a second process.
        return (self._root / name).open("xb", buffering=_BUFFER_BYTES)


def _line(value: Mapping[str, Json | Mapping[str, Json]]) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(
            _without_nan(dict(value)), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    return text.encode("utf-8", "replace") + b"\n"


def _without_nan(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value
