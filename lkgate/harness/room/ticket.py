"""Who may join, read from the access token: the virtual server believes every token."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from livekit.rtc._proto import participant_pb2

_KINDS = {
    "standard": participant_pb2.PARTICIPANT_KIND_STANDARD,
    "ingress": participant_pb2.PARTICIPANT_KIND_INGRESS,
    "egress": participant_pb2.PARTICIPANT_KIND_EGRESS,
    "sip": participant_pb2.PARTICIPANT_KIND_SIP,
    "agent": participant_pb2.PARTICIPANT_KIND_AGENT,
    "connector": participant_pb2.PARTICIPANT_KIND_CONNECTOR,
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A participant-to-be.

    Attributes:
        room: that the token is for.
        hidden: seen by nobody, and receives everything that is sent to all.
    """

    room: str
    identity: str
    name: str = ""
    kind: participant_pb2.ParticipantKind.ValueType = participant_pb2.PARTICIPANT_KIND_STANDARD
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False


def read_token(token: str) -> Ticket:
    """The claims of a LiveKit access token.

    Raises:
        ValueError: it is no such token.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        identity, video = claims["sub"], claims["video"]
        kind = _KINDS[claims.get("kind") or ("agent" if video.get("agent") else "standard")]
    except (IndexError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise ValueError("this is no access token to a room") from error
    return Ticket(
        room=video.get("room", ""),
        identity=identity,
        name=claims.get("name", ""),
        kind=kind,
        metadata=claims.get("metadata", ""),
        attributes=claims.get("attributes") or {},
        hidden=bool(video.get("hidden")),
    )
