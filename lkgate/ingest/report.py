"""LiveKit's own session report: ``JobContext.make_session_report().to_dict()`` as JSON.

Source: ``livekit.agents.voice.report``. It has no version of its own: the version of
livekit-agents that wrote it stands for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle.fields import Fields
from lkgate.errors import BundleError
from lkgate.ingest.history import history_events
from lkgate.model.event import Json

_KNOWN = re.compile(r"1\.8\.\d+([a-z.+-].*)?")
_KNOWN_WORDS = "1.8"
# What the report says about the session as a whole.
_FACTS = (
    "sdk_version",
    "agent_name",
    "job_id",
    "room_id",
    "options",
    "tags",
    "close_reason",
    "errors",
)


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as the report has it, and when it was made."""

    unix_us: int
    kind: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class SessionReport:
    """A report.

    Attributes:
        path: of the file.
        room: its name.
        version: of livekit-agents.
        audio_started_at_unix_us: when its ``audio.ogg`` begins, ``None`` if it recorded none.
        written_at_unix_us: when the report was made: no audio is younger.
        events: in the report's order, which is that of their report to the program.
        from_history: the report came without events; these are made from its conversation.
        facts: about the session as a whole, under the report's own names.
    """

    path: Path
    room: str
    version: str
    audio_started_at_unix_us: int | None
    written_at_unix_us: int
    events: tuple[RawEvent, ...]
    from_history: bool
    facts: Mapping[str, Json]


def is_report(value: Json) -> bool:
    """Whether a JSON file looks like a session report of any version."""
    return isinstance(value, dict) and (
        "chat_history" in value or {"job_id", "room", "events"} <= value.keys()
    )


def read_report(value: Json, path: Path) -> SessionReport:
    """The report in ``value``.

    Raises:
        BundleError: if a version wrote it that is not known, or a field is not as that one
            writes it.
    """
    fields = Fields(value, where=str(path))
    version = fields.optional_text("sdk_version")
    if version is None or not _KNOWN.fullmatch(version):
        told = f"livekit-agents {version} wrote it" if version else "it names no livekit-agents"
        raise BundleError(
            f"a session report of an unknown version: {told}, and this lkgate reads those of "
            f"{_KNOWN_WORDS}",
            where=str(path),
            next_step="Update lkgate; or import its audio.ogg alone, without what was said.",
        )
    audio = fields.number_or_none("audio_recording_started_at")
    from_history = not fields.has("events")
    if from_history:
        if not fields.has("chat_history"):
            raise fields.wrong("holds neither events nor a conversation")
        items = fields.fields("chat_history").each("items")
        events = tuple(RawEvent(*event) for event in history_events(items))
    else:
        events = tuple(_event(event) for event in fields.each("events"))
    return SessionReport(
        path=path,
        room=fields.text("room", empty=True),
        version=version,
        audio_started_at_unix_us=None if audio is None else round(audio * 1e6),
        written_at_unix_us=round(fields.number("timestamp") * 1e6),
        events=(*events, *_usage(fields, events)),
        from_history=from_history,
        facts={name: fields.value(name) for name in _FACTS if fields.has(name)},
    )


def _event(fields: Fields) -> RawEvent:
    kind = fields.text("type")
    left_out = ("type", "created_at")
    data = {name: value for name, value in fields.all().items() if name not in left_out}
    return RawEvent(round(fields.number("created_at") * 1e6), kind, data)


def _usage(fields: Fields, events: tuple[RawEvent, ...]) -> tuple[RawEvent, ...]:
    """The report's totals as a last event, where its events tell of none."""
    if not fields.has("usage") or any(e.kind == "session_usage_updated" for e in events):
        return ()
    usage: dict[str, Json] = {"model_usage": fields.items("usage")}
    at = max((event.unix_us for event in events), default=round(fields.number("timestamp") * 1e6))
    return (RawEvent(at, "session_usage_updated", {"usage": usage}),)
