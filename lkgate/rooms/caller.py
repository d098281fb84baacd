"""Who the recording's caller was, and the same participant in another room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from livekit import api, rtc

from lkgate.errors import RecordError
from lkgate.model.bundle import Bundle
from lkgate.record.server import Server

CallerKind = Literal["standard", "sip"]


@dataclass(frozen=True, slots=True)
class Person:
    """The caller as a participant.

    Attributes:
        kind: ``sip`` if the recording's caller was, or has attributes that only such a one has.
    """

    identity: str
    name: str
    metadata: str
    attributes: Mapping[str, str]
    kind: CallerKind


def person_of(bundle: Bundle, identity: str) -> Person:
    """The recording's caller when it came; nothing but its identity if nobody saw it come."""
    for event in bundle.of_kind("participant_connected"):
        data = event.data
        if data.get("identity") != identity:
            continue
        told = data.get("attributes")
        attributes = {k: str(v) for k, v in told.items()} if isinstance(told, dict) else {}
        phone = data.get("kind") == "sip" or any(key.startswith("sip.") for key in attributes)
        return Person(
            identity,
            str(data.get("name") or ""),
            str(data.get("metadata") or ""),
            attributes,
            "sip" if phone else "standard",
        )
    return Person(identity, "", "", {}, "standard")


async def join(
    server: Server, room: str, person: Person, *, before: Callable[[rtc.Room], None]
) -> tuple[rtc.Room, CallerKind]:
    """Enter as the person; as a ``standard`` one where the server takes no other from a token.

    Args:
        before: called with the connection before it is made.

    Raises:
        RecordError: the room cannot be joined.
    """
    if person.kind == "sip":
        try:
            return await _join(server, room, person, "sip", before), "sip"
        except RecordError:
            pass  # it is told in the bundle, and if it is no matter of the kind, below
    return await _join(server, room, person, "standard", before), "standard"


async def _join(
    server: Server,
    room: str,
    person: Person,
    kind: CallerKind,
    before: Callable[[rtc.Room], None],
) -> rtc.Room:
    token: api.AccessToken = (
        server.token()
        .with_identity(person.identity)
        .with_name(person.name)
        .with_metadata(person.metadata)
        .with_attributes(dict(person.attributes))
        .with_kind(kind)
        .with_grants(api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True))
    )
    connection = rtc.Room()
    before(connection)
    await server.enter(connection, room, token)
    return connection
