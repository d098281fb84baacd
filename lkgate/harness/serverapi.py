"""LiveKit's server API (``ctx.api``, ``ctx.delete_room``) as far as a virtual room answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from livekit import rtc
from livekit.api.twirp_client import ServerError, TwirpClient
from livekit.protocol import models
from livekit.protocol.room import ListParticipantsResponse, ListRoomsResponse

from lkgate.harness.room import Hub

OnRefused = Callable[[str], None]

_Response = type[Message]


def answer_server_api(hub: Hub, on_refused: OnRefused) -> None:
    """From now on requests to a LiveKit server go to ``hub``, whatever their address.

    What ends a call is done: deleting the room, removing a participant, transferring a caller
    away. Looking is answered. Everything else is refused: ``on_refused`` is told
    ``Service/Method``, and the program gets the error that a server without it would give.
    """

    async def request(
        self: TwirpClient,
        service: str,
        method: str,
        data: Any,
        headers: dict[str, str],
        response_class: _Response,
        **more: Any,
    ) -> Message:
        await asyncio.sleep(2 * hub.link.latency_us / 1_000_000)
        if method == "DeleteRoom" and data.room == hub.room:
            hub.close(rtc.DisconnectReason.ROOM_DELETED)
        elif method in ("RemoveParticipant", "TransferSIPParticipant", "GetParticipant"):
            _one(hub, method, data)
            if method == "GetParticipant":
                return _info(hub, data.identity)
        elif method == "ListParticipants":
            seen = [_info(hub, identity) for identity in hub.seen()]
            return ListParticipantsResponse(participants=seen)
        elif method == "ListRooms":
            return ListRoomsResponse(rooms=[models.Room(name=hub.room, sid=hub.sid)])
        elif method == "DeleteRoom":
            raise ServerError("not_found", f"there is no room {data.room}", status=404)
        else:
            on_refused(f"{service}/{method}")
            raise ServerError(
                "unimplemented",
                f"a replay has no LiveKit server: {service}/{method} is refused",
                status=501,
            )
        return response_class()

    TwirpClient.request = request  # type: ignore[assignment, method-assign]


def _one(hub: Hub, method: str, data: Any) -> None:
    identity = data.participant_identity if method == "TransferSIPParticipant" else data.identity
    client = hub.named(identity)
    if client is None or client.ticket.hidden:
        raise ServerError("not_found", "participant does not exist", status=404)
    if method != "GetParticipant":
        reason = rtc.DisconnectReason.PARTICIPANT_REMOVED
        hub.after(0, lambda: hub.remove(client, reason))


def _info(hub: Hub, identity: str) -> models.ParticipantInfo:
    client = hub.named(identity)
    assert client is not None  # asked for by those who know
    return models.ParticipantInfo(
        sid=client.sid,
        identity=client.identity,
        name=client.name,
        metadata=client.metadata,
        attributes=client.attributes,
        state=models.ParticipantInfo.ACTIVE,
        kind=models.ParticipantInfo.Kind.Name(client.ticket.kind),
        joined_at=client.joined_at_ms // 1000,
    )
