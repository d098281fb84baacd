"""What a bundle says about itself (``manifest.json``), and a bundle that was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lkgate.model.event import Event, Json
from lkgate.model.label import Labels

FORMAT = 1

Role = Literal["caller", "agent", "other"]
SourceKind = Literal["record", "import", "replay"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch of session time, integer microseconds."""

    start_us: int
    end_us: int

    @property
    def duration_us(self) -> int:
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True)
class TrackClock:
    """How a track that was recorded live lies on the recorder's clock.

    Attributes:
        drift_ppm: by how much its samples came faster (positive) or slower than the monotonic
            clock; ``None`` if that is not known (see ``drift_absent_reason``).
        drift_absent_reason: why ``drift_ppm`` is ``None``.
        delay_us: how much earlier than it was read audio was placed, the median; ``None`` if it
            was not known, and audio was placed when it was read.
    """

    drift_ppm: float | None
    drift_absent_reason: str | None
    delay_us: int | None


@dataclass(frozen=True, slots=True)
class Track:
    """One audio track of one participant.

    Attributes:
        id: unique in the bundle, also the file's stem (``caller``, ``agent``, ``agent-2``).
        role: who speaks on it.
        participant: the participant's identity.
        sid: LiveKit's track id, ``None`` if the source had none.
        sample_rate_hz, channels: as stored.
        offset_us: session time of the first sample.
        samples: samples per channel.
        pcm_sha256: hex digest of the little-endian 16-bit PCM.
        path: file in the bundle, ``None`` if the audio was left out (see ``absent_reason``).
        absent_reason: why ``path`` is ``None``.
        speech: voice activity found on the track when the bundle was closed, session time.
        speech_method: name and version of the detector that found it.
        clock: of a live recording; ``None`` where audio has a clock of its own: in a replay's
            virtual time, in an import's files, and in bundles from before this was measured.
    """

    id: str
    role: Role
    participant: str
    sid: str | None
    sample_rate_hz: int
    channels: int
    offset_us: int
    samples: int
    pcm_sha256: str
    path: str | None
    absent_reason: str | None
    speech: tuple[Span, ...]
    speech_method: str
    clock: TrackClock | None = None

    @property
    def span(self) -> Span:
        return Span(
            self.offset_us, self.offset_us + self.samples * 1_000_000 // self.sample_rate_hz
        )


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the bundle, its size and its digest."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BuildIdentity:
    """Which agent program took part, precisely enough to say that it changed.

    Attributes:
        name: the name under ``[tool.lkgate.builds]``, or the path or git ref given.
        digest: hex sha256 over the program's own files and settings, ``None`` if unknown.
        versions: of python, livekit, livekit-agents and the plugins in use.
    """

    name: str
    digest: str | None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """``manifest.json``: written last, so that its presence means the bundle is whole.

    Attributes:
        format: of the bundle; ``min_reader``: the oldest format a reader must know.
        lkgate: version of the program that wrote it.
        id: stable name of the session.
        source: where it came from: record, import or replay.
        recording_digest: of the recording that a replay was made from, else ``None``.
        room: the room's name.
        started_at_unix_us: wall clock at t_us = 0, ``None`` if unknown.
        duration_us: length of the session.
        build: the agent's build if known.
        session: what the agent's session said about itself (VAD, turn detector, thresholds).
        tracks: audio.
        cassette: ``"full"`` (every exchange was seen), ``"partial"``, ``"derived"`` (made from what
            was seen from outside) or ``"none"``.
        absent: evidence that this source could not give, each with its reason.
        files: every other file, sorted by path.
        digest: over everything that a replay determines (events, PCM, this manifest's own
            fields), so that two equal sessions have equal digests.
        accepted: what the acceptance of a baseline is bound to besides ``recording_digest`` and
            ``build`` (the metrics' versions); empty if this is no baseline.
        answered_by: the index of the recording's cassette as it was when a replay was answered
            from it; ``None`` for a recording, if a provider answered, and in older bundles.
    """

    format: int
    min_reader: int
    lkgate: str
    id: str
    source: SourceKind
    recording_digest: str | None
    room: str
    started_at_unix_us: int | None
    duration_us: int
    build: BuildIdentity | None
    session: Mapping[str, Json]
    tracks: tuple[Track, ...]
    cassette: Literal["full", "partial", "derived", "none"]
    absent: Mapping[str, str]
    files: tuple[FileEntry, ...]
    digest: str
    accepted: Mapping[str, Json] = field(default_factory=dict)
    answered_by: FileEntry | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A session that was read and verified. Audio stays on disk: ``lkgate.bundle.read_pcm``."""

    manifest: Manifest
    events: tuple[Event, ...]
    labels: Labels | None

    def tracks(self, role: Role) -> tuple[Track, ...]:
        return tuple(track for track in self.manifest.tracks if track.role == role)

    def of_kind(self, *kinds: str) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind in kinds)
