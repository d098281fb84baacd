"""``manifest.json``: between its text and :class:`Manifest`, its seal and the session's digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from lkgate.bundle.canonical import JsonLike, compact, parse, pretty, sha256
from lkgate.bundle.fields import Fields
from lkgate.bundle.journal import TRACK_ID
from lkgate.bundle.migrate import migrate
from lkgate.bundle.paths import unsafe
from lkgate.errors import BundleError
from lkgate.model.bundle import (
    FORMAT,
    BuildIdentity,
    FileEntry,
    Manifest,
    Role,
    SourceKind,
    Span,
    Track,
    TrackClock,
)
from lkgate.model.event import Json

MANIFEST = "manifest.json"
ALTERED = "The bundle was altered or damaged: get it again from where it came."

ROLES: tuple[Role, ...] = ("caller", "agent", "other")
SOURCES: tuple[SourceKind, ...] = ("record", "import", "replay")
CassetteKind = Literal["full", "partial", "derived", "none"]
CASSETTES: tuple[CassetteKind, ...] = ("full", "partial", "derived", "none")

MAX_SAMPLES = 1 << 33
"""Of one track: two days at 48 kHz. More is a decompression bomb."""
MAX_RATE_HZ = 192_000
MIN_RATE_HZ = 2_000
MAX_TIME_US = 1 << 53


def session_digest(manifest: Manifest, events_sha256: str) -> str:
    """The digest of what happened in a session.

    It covers what the session was (id, room, build, clock, length), every event, and every
    track's samples and place in time. It does not cover what was derived or decided afterwards:
    how audio is encoded or whether it is kept, speech spans, cassette, labels, reasons for what
    is absent, and who wrote the bundle when.
    """
    core: dict[str, JsonLike] = {
        "id": manifest.id,
        "source": manifest.source,
        "recording_digest": manifest.recording_digest,
        "room": manifest.room,
        "started_at_unix_us": manifest.started_at_unix_us,
        "duration_us": manifest.duration_us,
        "build": _build_out(manifest.build),
        "session": manifest.session,
        "events_sha256": events_sha256,
        "tracks": [
            {
                "id": track.id,
                "role": track.role,
                "participant": track.participant,
                "sid": track.sid,
                "sample_rate_hz": track.sample_rate_hz,
                "channels": track.channels,
                "offset_us": track.offset_us,
                "samples": track.samples,
                "pcm_sha256": track.pcm_sha256,
            }
            for track in manifest.tracks
        ],
    }
    return sha256(("lkgate session 1\n" + compact(core)).encode())


def encode_manifest(manifest: Manifest) -> bytes:
    """The one text of a manifest, sealed."""
    raw: dict[str, JsonLike] = {
        "format": manifest.format,
        "min_reader": manifest.min_reader,
        "lkgate": manifest.lkgate,
        "id": manifest.id,
        "source": manifest.source,
        "recording_digest": manifest.recording_digest,
        "room": manifest.room,
        "started_at_unix_us": manifest.started_at_unix_us,
        "duration_us": manifest.duration_us,
        "build": _build_out(manifest.build),
        "session": manifest.session,
        "tracks": tracks_out(manifest.tracks),
        "cassette": manifest.cassette,
        "absent": manifest.absent,
        "accepted": manifest.accepted,
        "files": files_out(manifest.files),
        "digest": manifest.digest,
    }
    if manifest.answered_by is not None:
        raw["answered_by"] = file_out(manifest.answered_by)
    return pretty({**raw, "seal": _seal(raw)})


def decode_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest of this or an older format.

    Args:
        data: the file's bytes.
        where: its name, for errors.

    Raises:
        BundleError: if one byte is not as it was written, a field has the wrong shape, or the
            format is too new.
    """
    try:
        raw = parse(data)
    except ValueError as error:
        raise BundleError(f"no JSON: {error}", where=where, next_step=ALTERED) from None
    fields = Fields(raw, where=where, next_step=ALTERED)
    if fields.integer("min_reader", minimum=1) > FORMAT:
        raise BundleError(
            f"bundle format {fields.integer('format')} is newer than this lkgate knows ({FORMAT})",
            where=where,
            next_step="Update lkgate: python -m pip install --upgrade lkgate",
        )
    assert isinstance(raw, dict)
    unsealed: dict[str, Json] = {key: value for key, value in raw.items() if key != "seal"}
    try:
        whole = fields.digest("seal") == _seal(unsealed) and pretty(raw) == data
    except ValueError:
        whole = False
    if not whole:
        raise fields.wrong("the manifest does not match its own seal")
    fields = Fields(migrate(unsealed, where), where=where, next_step=ALTERED)
    return _decode(fields)


def amend(data: bytes, changes: Mapping[str, JsonLike]) -> bytes:
    """A manifest's text with some fields replaced, sealed again; all others stay as they are,
    also those that this version does not know.

    Args:
        data: the text of a manifest that was decoded before.
        changes: JSON by field.
    """
    raw = parse(data)
    assert isinstance(raw, dict)
    changed: dict[str, JsonLike] = {**raw, **changes}
    changed.pop("seal", None)
    return pretty({**changed, "seal": _seal(changed)})


def files_out(files: Iterable[FileEntry]) -> JsonLike:
    """The JSON of ``files``, sorted."""
    return [file_out(entry) for entry in sorted(files, key=lambda entry: entry.path)]


def file_out(entry: FileEntry) -> dict[str, Json]:
    """The JSON of one of ``files``, and of ``answered_by``."""
    return {"path": entry.path, "bytes": entry.bytes, "sha256": entry.sha256}


def file_in(fields: Fields) -> FileEntry:
    """The inverse of :func:`file_out`."""
    entry = FileEntry(
        path=fields.text("path"),
        bytes=fields.integer("bytes", minimum=0),
        sha256=fields.digest("sha256"),
    )
    reason = unsafe(entry.path)
    if reason is not None:
        raise fields.wrong(f"{entry.path!r} is no path of a bundle: {reason}")
    return entry


def tracks_out(tracks: Iterable[Track]) -> JsonLike:
    """The JSON of ``tracks``."""
    return [_track_out(track) for track in tracks]


def build_in(fields: Fields | None) -> BuildIdentity | None:
    """The build that a manifest or a journal's header names."""
    if fields is None:
        return None
    return BuildIdentity(
        name=fields.text("name"),
        digest=fields.text_or_none("digest"),
        versions=fields.texts("versions"),
    )


def _seal(raw: Mapping[str, JsonLike]) -> str:
    return sha256(pretty(raw))


def _decode(fields: Fields) -> Manifest:
    tracks = tuple(_track_in(track) for track in fields.each("tracks"))
    answered = fields.fields_or_none("answered_by", optional=True)
    files = tuple(file_in(entry) for entry in fields.each("files"))
    if len({track.id for track in tracks}) != len(tracks):
        raise fields.wrong("two tracks have the same id")
    paths = [entry.path for entry in files]
    if paths != sorted(set(paths)):
        raise fields.wrong("files should be sorted by path, each once")
    listed = set(paths)
    for track in tracks:
        if track.path is not None and track.path not in listed:
            raise fields.wrong(f"{track.path} of track {track.id} is not among the files")
    return Manifest(
        format=fields.integer("format", minimum=1),
        min_reader=fields.integer("min_reader", minimum=1),
        lkgate=fields.text("lkgate"),
        id=fields.text("id"),
        source=fields.word("source", SOURCES),
        recording_digest=fields.digest_or_none("recording_digest"),
        room=fields.text("room", empty=True),
        started_at_unix_us=fields.integer_or_none("started_at_unix_us"),
        duration_us=fields.integer("duration_us", minimum=0, maximum=MAX_TIME_US),
        build=build_in(fields.fields_or_none("build")),
        session=fields.object("session"),
        tracks=tracks,
        cassette=fields.word("cassette", CASSETTES),
        absent=fields.texts("absent"),
        files=files,
        digest=fields.digest("digest"),
        accepted=fields.object("accepted", absent={}),
        answered_by=file_in(answered) if answered is not None else None,
    )


def _build_out(build: BuildIdentity | None) -> JsonLike:
    if build is None:
        return None
    return {"name": build.name, "digest": build.digest, "versions": build.versions}


def _track_out(track: Track) -> JsonLike:
    raw: dict[str, JsonLike] = {
        "id": track.id,
        "role": track.role,
        "participant": track.participant,
        "sid": track.sid,
        "sample_rate_hz": track.sample_rate_hz,
        "channels": track.channels,
        "offset_us": track.offset_us,
        "samples": track.samples,
        "pcm_sha256": track.pcm_sha256,
        "path": track.path,
        "absent_reason": track.absent_reason,
        "speech": [[span.start_us, span.end_us] for span in track.speech],
        "speech_method": track.speech_method,
    }
    if track.clock is not None:
        raw["clock"] = {
            "drift_ppm": track.clock.drift_ppm,
            "drift_absent_reason": track.clock.drift_absent_reason,
            "delay_us": track.clock.delay_us,
        }
    return raw


def _clock_in(fields: Fields | None) -> TrackClock | None:
    if fields is None:
        return None
    clock = TrackClock(
        drift_ppm=fields.number_or_none("drift_ppm"),
        drift_absent_reason=fields.text_or_none("drift_absent_reason"),
        delay_us=fields.integer_or_none("delay_us"),
    )
    if (clock.drift_ppm is None) == (clock.drift_absent_reason is None):
        raise fields.wrong("a track's clock needs either drift_ppm or drift_absent_reason")
    return clock


def _track_in(fields: Fields) -> Track:
    track = Track(
        id=fields.text("id"),
        role=fields.word("role", ROLES),
        participant=fields.text("participant", empty=True),
        sid=fields.text_or_none("sid"),
        sample_rate_hz=fields.integer("sample_rate_hz", minimum=MIN_RATE_HZ, maximum=MAX_RATE_HZ),
        channels=fields.integer("channels", minimum=1, maximum=1),
        offset_us=fields.integer("offset_us", minimum=-MAX_TIME_US, maximum=MAX_TIME_US),
        samples=fields.integer("samples", minimum=0, maximum=MAX_SAMPLES),
        pcm_sha256=fields.digest("pcm_sha256"),
        path=fields.text_or_none("path"),
        absent_reason=fields.text_or_none("absent_reason"),
        speech=tuple(Span(start, end) for start, end in fields.pairs("speech")),
        speech_method=fields.text("speech_method"),
        clock=_clock_in(fields.fields_or_none("clock", optional=True)),
    )
    if not TRACK_ID.fullmatch(track.id):
        raise fields.wrong(f"track id {track.id!r} does not match {TRACK_ID.pattern}")
    if (track.path is None) == (track.absent_reason is None):
        raise fields.wrong(f"track {track.id} needs either a path or an absent_reason")
    edges = [edge for span in track.speech for edge in (span.start_us, span.end_us)]
    if edges != sorted(edges):
        raise fields.wrong(f"the speech of track {track.id} is out of order")
    return track
