"""What an event says about LiveKit's objects, with enumerations as LiveKit's short strings."""

from __future__ import annotations

from collections.abc import Sequence

from livekit import rtc

from lkgate.model.event import Json

Fields = dict[str, Json]

MAX_CONTENT_BYTES = 4_096


def participant_fields(participant: rtc.Participant) -> Fields:
    """``kind`` is ``standard``, ``agent``, ``sip``, ..."""
    return {
        "sid": participant.sid,
        "kind": _short(rtc.ParticipantKind.items(), participant.kind, "PARTICIPANT_KIND_"),
        "name": participant.name,
        "metadata": participant.metadata,
        "attributes": dict(participant.attributes),
    }


def track_fields(publication: rtc.TrackPublication) -> Fields:
    """``kind`` is ``audio`` or ``video``, ``source`` ``microphone``, ``camera``, ...; a video also
    has its codec and the ``width`` and ``height`` with which it was published."""
    fields: Fields = {
        "track_sid": publication.sid,
        "kind": _short(rtc.TrackKind.items(), publication.kind, "KIND_"),
        "source": source_of(publication),
        "name": publication.name,
    }
    if publication.kind == rtc.TrackKind.KIND_VIDEO:
        fields |= {
            "mime_type": publication.mime_type,
            "width": publication.width,
            "height": publication.height,
            "simulcasted": publication.simulcasted,
        }
    return fields


def source_of(publication: rtc.TrackPublication) -> str:
    return _short(rtc.TrackSource.items(), publication.source, "SOURCE_")


# Somebody meant it: there is nothing to come back to.
_MEANT = {
    rtc.DisconnectReason.CLIENT_INITIATED,
    rtc.DisconnectReason.DUPLICATE_IDENTITY,
    rtc.DisconnectReason.PARTICIPANT_REMOVED,
    rtc.DisconnectReason.ROOM_CLOSED,
    rtc.DisconnectReason.ROOM_DELETED,
}


def meant(reason: rtc.DisconnectReason.ValueType) -> bool:
    """Whether a connection that ended so is over, and not lost."""
    return reason in _MEANT


def reason_of(value: rtc.DisconnectReason.ValueType | None) -> str | None:
    """``client_initiated``, ``room_deleted``, ...; ``None`` where LiveKit gave no reason."""
    return None if value is None else _short(rtc.DisconnectReason.items(), value, "")


def packet_fields(packet: rtc.DataPacket, topics: tuple[str, ...] | None) -> Fields:
    """``bytes`` is the payload's size; ``text`` is there if the payload is UTF-8 and wanted: see
    :func:`wanted`."""
    fields: Fields = {
        "identity": packet.participant.identity if packet.participant else None,
        "topic": packet.topic or None,
        "bytes": len(packet.data),
    }
    if not wanted(packet.topic or "", len(packet.data), topics):
        return fields
    try:
        text = packet.data.decode()
    except UnicodeDecodeError:
        return fields
    return {**fields, "text": text}


def wanted(topic: str, size: int, topics: tuple[str, ...] | None) -> bool:
    """Whether the content of a message is to be recorded: everything if ``topics`` is ``None``,
    else what is of one of them and not larger than ``MAX_CONTENT_BYTES``."""
    return topics is None or (topic in topics and size <= MAX_CONTENT_BYTES)


def dtmf_fields(dtmf: rtc.SipDTMF) -> Fields:
    identity = dtmf.participant.identity if dtmf.participant else None
    return {"identity": identity, "code": dtmf.code, "digit": dtmf.digit}


def _short(items: Sequence[tuple[str, int]], value: int, prefix: str) -> str:
    for name, number in items:
        if number == value:
            return name.removeprefix(prefix).lower()
    return str(int(value))  # newer than the installed livekit
