"""The JSON manifest that LiveKit's egress writes beside a file.

Source: livekit/egress, ``pkg/config/manifest.go``; times are Unix nanoseconds, and fields that are
empty are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle.fields import Fields
from lkgate.model.event import Json

# 2001 in nanoseconds; the same number of microseconds is in the year 33658.
_NANOSECONDS_SINCE = 10**18


@dataclass(frozen=True, slots=True)
class EgressManifest:
    """One egress.

    Attributes:
        path: of the manifest.
        id: of the egress.
        room: ``""`` if it tells none (a web egress).
        started_at_unix_us: of the egress, not of the first sample.
        publisher: identity of the participant, ``None`` where several were recorded.
        track_sid: of the audio track, ``None`` where it tells none.
        names: of the files that it wrote, without their directories; older ones tell none.
    """

    path: Path
    id: str
    room: str
    started_at_unix_us: int | None
    publisher: str | None
    track_sid: str | None
    names: tuple[str, ...]

    def is_of(self, audio: Path) -> bool:
        """Whether ``audio`` is one of its files, by name."""
        if self.names:
            return audio.name in self.names
        return self.path.name in (f"{audio.name}.json", f"{audio.stem}.json")


def read_manifest(value: Json, path: Path) -> EgressManifest:
    """The manifest in ``value``.

    Raises:
        BundleError: if a field is not what egress writes.
    """
    fields = Fields(value, where=str(path))
    kind = fields.optional_text("track_kind")
    if kind is not None and kind.lower() != "audio":
        raise fields.wrong(f"is the manifest of a track of kind {kind}, not of audio")
    names = [] if not fields.has("files") else fields.each("files")
    return EgressManifest(
        path=path,
        id=fields.text("egress_id"),
        room=fields.optional_text("room_name") or "",
        started_at_unix_us=_unix_us(fields, "started_at"),
        publisher=fields.optional_text("publisher_identity"),
        track_sid=fields.optional_text("track_id") or fields.optional_text("audio_track_id"),
        names=tuple(
            name.rpartition("/")[2] for file in names if (name := file.optional_text("filename"))
        ),
    )


def _unix_us(fields: Fields, name: str) -> int | None:
    if not fields.has(name):
        return None
    nanoseconds = fields.integer(name)
    if nanoseconds < _NANOSECONDS_SINCE:
        raise fields.wrong(f"{name} should be Unix nanoseconds, as egress writes them")
    return nanoseconds // 1_000
