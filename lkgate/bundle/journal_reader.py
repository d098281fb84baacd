"""Reading a journal, whole or cut off at any byte by a crash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lkgate.bundle.fields import Fields
from lkgate.bundle.journal import (
    DIRECTORY,
    EVENTS,
    HEADER,
    PCM_SUFFIX,
    TRACK_ID,
    TRACKS,
)
from lkgate.bundle.manifest import MAX_RATE_HZ, MIN_RATE_HZ, ROLES
from lkgate.errors import BundleError
from lkgate.model.bundle import Role
from lkgate.model.event import Json

_BY_HAND = "Delete that line, or mend it, to recover the rest."


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """An event before it has its place in the total order."""

    t_us: int
    kind: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class PcmFile:
    """The first ``count`` samples of a file, of which only what is asked for is read: a day of a
    track has 4 GB."""

    path: Path
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, part: slice) -> npt.NDArray[np.int16]:
        """Consecutive samples."""
        start, stop, step = part.indices(self.count)
        if step != 1:
            raise ValueError(f"samples {part} do not follow each other")
        if start >= stop:
            return np.zeros(0, np.int16)
        pcm = np.fromfile(self.path, dtype="<i2", count=stop - start, offset=2 * start)
        return pcm.astype(np.int16, copy=False)

    def head(self, count: int) -> PcmFile:
        """The first samples, ``count`` if there are as many."""
        return PcmFile(self.path, min(count, self.count))


@dataclass(frozen=True, slots=True)
class JournalTrack:
    """A track and where its samples are."""

    id: str
    role: Role
    participant: str
    sid: str | None
    sample_rate_hz: int
    offset_us: int
    path: Path

    def samples(self) -> PcmFile:
        """The whole samples on disk; half a sample at the end is left out."""
        return PcmFile(self.path, self.path.stat().st_size // 2 if self.path.exists() else 0)


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal holds.

    Attributes:
        header: its fields, merged.
        events: in order of arrival.
        tracks: in order of arrival.
        finished: whether the writer said that the session ended.
        lost: what a crash tore off, in words; empty if nothing.
    """

    header: Mapping[str, Json]
    events: tuple[JournalEvent, ...]
    tracks: tuple[JournalTrack, ...]
    finished: bool
    lost: tuple[str, ...]


def read_journal(directory: Path, *, otherwise: Mapping[str, Json] | None = None) -> JournalContent:
    """Read the journal below ``directory``.

    A line that a crash tore at the end of a file, and half a sample, are left out and named in
    ``lost``.

    Args:
        otherwise: the header if nothing is left of it.

    Raises:
        BundleError: if there is no journal, it has no header at all, or a line other than a
            file's last is not as a journal writes it.
    """
    root = directory / DIRECTORY
    if not root.is_dir():
        raise BundleError(
            f"no recording to close: it has no {DIRECTORY}/",
            where=str(directory),
            next_step="Give the directory that `lkgate record` was writing to.",
        )
    lost: list[str] = []
    header: dict[str, Json] = {}
    for _, line in _lines(root / HEADER, lost):
        header.update(line)
    if not header and otherwise is not None:
        header.update(otherwise)
        lost.append(f"{HEADER}: nothing of it is left")
    if not header:
        raise BundleError(
            "the recording was cut off before it said what it is", where=str(root / HEADER)
        )
    events = tuple(_event(line, at) for at, line in _lines(root / EVENTS, lost))
    tracks = tuple(_track(line, at, root) for at, line in _lines(root / TRACKS, lost))
    known = {track.path.name for track in tracks}
    if len(known) != len(tracks):
        raise BundleError("a track is in it twice", where=str(root / TRACKS))
    for path in sorted(root.glob("*" + PCM_SUFFIX)):
        if path.name not in known:
            lost.append(f"{path.name}: its line in {TRACKS} was torn, so its rate is unknown")
        elif path.stat().st_size % 2:
            lost.append(f"{path.name}: half a sample")
    return JournalContent(
        header=header,
        events=events,
        tracks=tracks,
        finished=header.get("finished") is True,
        lost=tuple(lost),
    )


def _lines(path: Path, lost: list[str]) -> list[tuple[str, dict[str, Json]]]:
    """The objects of a file with the place of each."""
    if not path.exists():
        lost.append(f"{path.name}: it is missing")
        return []
    lines = path.read_bytes().split(b"\n")
    found: list[tuple[str, dict[str, Json]]] = []
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        if last and not line:
            break
        at = f"{path}:{number + 1}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found.append((at, value))
        elif last:
            lost.append(f"{path.name}: {len(line)} bytes of a torn last line")
        else:
            raise BundleError("no line of a journal", where=at, next_step=_BY_HAND)
    return found


def _event(line: dict[str, Json], at: str) -> JournalEvent:
    fields = Fields(line, where=at, next_step=_BY_HAND)
    return JournalEvent(
        fields.integer("t_us", minimum=0), fields.text("kind"), fields.object("data")
    )


def _track(line: dict[str, Json], at: str, root: Path) -> JournalTrack:
    fields = Fields(line, where=at, next_step=_BY_HAND)
    track_id = fields.text("id")
    if not TRACK_ID.fullmatch(track_id):
        raise fields.wrong(f"track id {track_id!r} does not match {TRACK_ID.pattern}")
    return JournalTrack(
        id=track_id,
        role=fields.word("role", ROLES),
        participant=fields.text("participant", empty=True),
        sid=fields.text_or_none("sid"),
        sample_rate_hz=fields.integer("sample_rate_hz", minimum=MIN_RATE_HZ, maximum=MAX_RATE_HZ),
        offset_us=fields.integer("offset_us"),
        path=root / (track_id + PCM_SUFFIX),
    )
