"""What an event says about LiveKit's objects, with enumerations as LiveKit's short strings."""

from __future__ import annotations

from collections.abc import Sequence

from livekit import rtc

from lkgate.model.event import Json

Fields = dict[str, Json]


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
    """``kind`` is ``audio`` or ``video``, ``source`` ``microphone``, ``camera``, ..."""
    return {
        "track_sid": publication.sid,
        "kind": _short(rtc.TrackKind.items(), publication.kind, "KIND_"),
        "source": source_of(publication),
        "name": publication.name,
    }


def source_of(publication: rtc.TrackPublication) -> str:
    return _short(rtc.TrackSource.items(), publication.source, "SOURCE_")


def reason_of(value: rtc.DisconnectReason.ValueType | None) -> str | None:
    """``client_initiated``, ``room_deleted``, ...; ``None`` where LiveKit gave no reason."""
    return None if value is None else _short(rtc.DisconnectReason.items(), value, "")


def packet_fields(packet: rtc.DataPacket) -> Fields:
    """``bytes`` is the payload's size; ``text`` is there if the payload is UTF-8."""
    fields: Fields = {
        "identity": packet.participant.identity if packet.participant else None,
        "topic": packet.topic or None,
        "bytes": len(packet.data),
    }
    try:
        text = packet.data.decode()
    except UnicodeDecodeError:
        return fields
    return {**fields, "text": text}


def dtmf_fields(dtmf: rtc.SipDTMF) -> Fields:
    identity = dtmf.participant.identity if dtmf.participant else None
    return {"identity": identity, "code": dtmf.code, "digit": dtmf.digit}


def _short(items: Sequence[tuple[str, int]], value: int, prefix: str) -> str:
    for name, number in items:
        if number == value:
            return name.removeprefix(prefix).lower()
    return str(int(value))  # newer than the installed livekit
