"""From a journal to a bundle."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lkgate import __version__, signal
from lkgate.bundle.audio import blocks_of, encode
from lkgate.bundle.canonical import sha256
from lkgate.bundle.drift import clock_of, noted_in
from lkgate.bundle.events import EVENTS, encode_events
from lkgate.bundle.fields import Fields
from lkgate.bundle.journal import DIRECTORY, HEADER
from lkgate.bundle.journal_reader import JournalContent, JournalTrack, read_journal
from lkgate.bundle.manifest import (
    CASSETTES,
    MANIFEST,
    SOURCES,
    CassetteKind,
    build_in,
    encode_manifest,
    file_in,
    session_digest,
)
from lkgate.bundle.place import new_directory
from lkgate.bundle.reader import CASSETTE, LABELS, hash_of
from lkgate.bundle.tree import Directory
from lkgate.model.bundle import (
    FORMAT,
    BuildIdentity,
    Bundle,
    FileEntry,
    Manifest,
    SourceKind,
    Span,
    Track,
    TrackClock,
)
from lkgate.model.event import Event, Json
from lkgate.model.label import Labels

RECOVERED = "lkgate.recovered"
_CUT_OFF = "the recording was cut off, and closed afterwards from what was on disk"


@dataclass(frozen=True, slots=True)
class _Header:
    id: str
    source: SourceKind
    recording_digest: str | None
    room: str
    started_at_unix_us: int | None
    duration_us: int | None
    build: BuildIdentity | None
    session: Mapping[str, Json]
    cassette: CassetteKind | None
    absent: Mapping[str, str]
    answered_by: FileEntry | None


def close_journal(
    directory: Path,
    out: Path,
    *,
    labels_yaml: str | None = None,
    otherwise: Mapping[str, Json] | None = None,
) -> Bundle:
    """Make a bundle of the journal, and of ``cassette/`` beside it, below ``directory``.

    Header fields: ``id`` and ``source`` are required; ``room``, ``started_at_unix_us``,
    ``recording_digest``, ``build`` (``name``, ``digest``, ``versions``), ``session``,
    ``cassette``, ``absent`` and ``answered_by`` are as in :class:`Manifest`; others are ignored.

    A journal that was never finished, or was torn, is closed as well: up to its last whole line
    and sample. The manifest's ``absent`` and an event ``lkgate.recovered`` then say what is
    missing. The journal stays as it is.

    Args:
        directory: where :meth:`Journal.create` was told to write.
        out: the bundle's directory, which must not exist; it appears whole or not at all.
        labels_yaml: the text of its ``labels.yaml``.
        otherwise: the header of a journal that a crash left without one.

    Raises:
        BundleError: if there is no journal that can be read, ``out`` is in the way, or the labels
            do not follow their schema.
    """
    content = read_journal(directory, otherwise=otherwise)
    header = _header(content.header, str(directory / DIRECTORY / HEADER))
    labels = _labels(labels_yaml, str(out / LABELS))
    # A replay can be made again: only what cannot be had twice waits for the disk.
    with new_directory(out, durable=header.source != "replay") as made:
        clocks = _clocks(header, content)
        tracks = tuple(_write_track(track, made, clocks.get(track.id)) for track in content.tracks)
        duration_us = _duration_us(header, content, tracks)
        events = _order(content, duration_us)
        data = encode_events(events)
        (made / EVENTS).write_bytes(data)
        _copy_cassette(directory / CASSETTE, made / CASSETTE, torn=_torn(content))
        if labels_yaml is not None:
            (made / LABELS).write_bytes(labels_yaml.encode())
        written = Directory(made)
        files = tuple(hash_of(written, path) for path in sorted(written.sizes))
        manifest = Manifest(
            format=FORMAT,
            min_reader=FORMAT,
            lkgate=__version__,
            id=header.id,
            source=header.source,
            recording_digest=header.recording_digest,
            room=header.room,
            started_at_unix_us=header.started_at_unix_us,
            duration_us=duration_us,
            build=header.build,
            session=header.session,
            tracks=tracks,
            cassette=_cassette(header, content, written),
            absent=_absent(header, content),
            files=files,
            digest="",
            answered_by=header.answered_by,
        )
        manifest = replace(manifest, digest=session_digest(manifest, sha256(data)))
        (made / MANIFEST).write_bytes(encode_manifest(manifest))
    return Bundle(manifest, events, labels)


def _header(raw: Mapping[str, Json], where: str) -> _Header:
    defaults: dict[str, Json] = {
        "recording_digest": None,
        "room": "",
        "started_at_unix_us": None,
        "build": None,
        "session": {},
        "absent": {},
        "answered_by": None,
    }
    fields = Fields({**defaults, **raw}, where=where)
    answered = fields.fields_or_none("answered_by")
    return _Header(
        id=fields.text("id"),
        source=fields.word("source", SOURCES),
        recording_digest=fields.digest_or_none("recording_digest"),
        room=fields.text("room", empty=True),
        started_at_unix_us=fields.integer_or_none("started_at_unix_us"),
        duration_us=fields.integer("duration_us", minimum=0) if raw.get("finished") else None,
        build=build_in(fields.fields_or_none("build")),
        session=fields.object("session"),
        cassette=fields.word("cassette", CASSETTES) if raw.get("cassette") else None,
        absent=fields.texts("absent"),
        answered_by=file_in(answered) if answered is not None else None,
    )


def _labels(text: str | None, where: str) -> Labels | None:
    if text is None:
        return None
    from lkgate.bundle.labels import decode_labels

    return decode_labels(text.encode(), where)


def _clocks(header: _Header, content: JournalContent) -> Mapping[str, TrackClock]:
    """Of every track, if this was recorded live."""
    if header.source != "record":
        return {}
    noted = noted_in((event.t_us, event.kind, event.data) for event in content.events)
    return {track.id: clock_of(noted.get(track.id, ())) for track in content.tracks}


def _write_track(track: JournalTrack, made: Path, clock: TrackClock | None) -> Track:
    pcm = track.samples()
    path = f"audio/{track.id}.flac" if len(pcm) else None
    if path is not None:
        (made / path).parent.mkdir(exist_ok=True)
        encode(pcm, track.sample_rate_hz, made / path)
    digest = hashlib.sha256()
    for block in blocks_of(pcm):
        digest.update(block.astype("<i2", copy=False).data.cast("B"))

    def session_us(sample: int) -> int:
        return track.offset_us + sample * 1_000_000 // track.sample_rate_hz

    return Track(
        id=track.id,
        role=track.role,
        participant=track.participant,
        sid=track.sid,
        sample_rate_hz=track.sample_rate_hz,
        channels=1,
        offset_us=track.offset_us,
        samples=len(pcm),
        pcm_sha256=digest.hexdigest(),
        path=path,
        absent_reason=None if path else "no audio came on this track",
        speech=tuple(
            Span(session_us(start), session_us(end))
            for start, end in signal.segment(pcm, track.sample_rate_hz)
        ),
        speech_method=signal.SPEECH_METHOD,
        clock=clock,
    )


def _duration_us(header: _Header, content: JournalContent, tracks: tuple[Track, ...]) -> int:
    if header.duration_us is not None:
        return header.duration_us
    ends = [track.span.end_us for track in tracks]
    return max([0, *ends, *(event.t_us for event in content.events)])


def _order(content: JournalContent, duration_us: int) -> tuple[Event, ...]:
    """The total order: by time, and events of one time as they arrived."""
    arrived = [(event.t_us, event.kind, event.data) for event in content.events]
    if _torn(content):
        lost: list[Json] = list(content.lost)
        end_us = max([duration_us, *(event.t_us for event in content.events)])
        arrived.append((end_us, RECOVERED, {"finished": content.finished, "lost": lost}))
    arrived.sort(key=lambda event: event[0])
    return tuple(Event(t_us, seq, kind, data) for seq, (t_us, kind, data) in enumerate(arrived))


def _torn(content: JournalContent) -> bool:
    return bool(content.lost) or not content.finished


def _absent(header: _Header, content: JournalContent) -> Mapping[str, str]:
    absent = dict(header.absent)
    if not content.finished:
        absent["end"] = _CUT_OFF
    if content.lost:
        absent["torn"] = "; ".join(content.lost)
    return absent


def _cassette(header: _Header, content: JournalContent, written: Directory) -> CassetteKind:
    """What the writer said, but never more than there is."""
    if not any(path.startswith(CASSETTE + "/") for path in written.sizes):
        return "none"
    if header.cassette is None or (header.cassette == "full" and _torn(content)):
        return "partial"
    return header.cassette


def _copy_cassette(source: Path, target: Path, *, torn: bool) -> None:
    if not source.is_dir():
        return
    files = Directory(source)
    for path in files.sizes:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        if torn and path.endswith(".jsonl"):
            data = files.read(path)
            (target / path).write_bytes(data[: data.rfind(b"\n") + 1])
        else:
            shutil.copyfile(source / path, target / path)
