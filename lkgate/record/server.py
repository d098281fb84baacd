"""What the recorder asks of a LiveKit server, with every refusal as a sentence."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from livekit import api, rtc
from livekit.protocol.agent_dispatch import AgentDispatch, CreateAgentDispatchRequest
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
)

from lkgate.errors import RecordError
from lkgate.record.credentials import Credentials
from lkgate.record.refusals import named, refused_join
from lkgate.record.schedule import LiveRoom

_POLL_SECONDS = 0.5
_EMPTY_SECONDS = 60
_DEPARTURE_SECONDS = 20
# Of one question to the server's API, which by itself would wait for ever.
ANSWER_SECONDS = 10.0
# Of the token to join with. While connected, the server hands out new ones by itself.
TOKEN_LIFE = timedelta(hours=24)
_IDENTITY = "lkgate-"


class SecondRecorderError(RecordError):
    """Another lkgate records this room."""


class Server:
    """One server, asked with one key. Made by :func:`connect`."""

    def __init__(self, credentials: Credentials, client: api.LiveKitAPI, token_life: timedelta):
        self._credentials = credentials
        self._client = client
        self._token_life = token_life

    async def room_exists(self, room: str) -> bool:
        async with self._asking():
            found = await self._client.room.list_rooms(ListRoomsRequest(names=[room]))
        return len(found.rooms) > 0

    async def rooms(self) -> list[LiveRoom]:
        """All rooms, those that have been there the longest first.

        Raises:
            RecordError: if the server does not answer.
        """
        async with self._asking():
            found = await self._client.room.list_rooms(ListRoomsRequest())
        rooms = sorted(found.rooms, key=lambda room: (room.creation_time_ms, room.sid))
        return [LiveRoom(room.name, room.sid, room.num_participants) for room in rooms]

    async def participants(self, room: str) -> list[ParticipantInfo]:
        """All who are in the room, hidden ones too; nobody if there is no such room.

        Raises:
            RecordError: if the server does not answer.
        """
        async with self._asking():
            found = await self._client.room.list_participants(ListParticipantsRequest(room=room))
        return list(found.participants)

    async def refuse_second(self, room: str) -> None:
        """Raise ``SecondRecorderError`` if another lkgate is in the room."""
        for who in await self.participants(room):
            if who.kind == ParticipantInfo.EGRESS and who.identity.startswith(_IDENTITY):
                raise SecondRecorderError(
                    f"room {room!r} already has a recorder, {who.identity}",
                    where=self._credentials.url,
                    next_step="Its bundle will hold the call. To record here instead, end that one "
                    "first; if it was killed, the server drops it within a minute.",
                )

    async def wait_for_room(self, room: str, wait_us: int, stop: asyncio.Event) -> None:
        """Return when the room exists or ``stop`` is set.

        Raises:
            RecordError: if it does not appear within ``wait_us``.
        """
        left = wait_us / 1e6
        while not await self.room_exists(room):
            if left <= 0:
                raise RecordError(
                    f"room {room!r} did not appear within {wait_us / 1e6:g} s",
                    where=self._credentials.url,
                    next_step="Start the call first, wait longer with --wait, or check the name.",
                )
            if await until(stop, min(left, _POLL_SECONDS)):
                return
            left -= _POLL_SECONDS

    async def create_room(self, room: str, *, metadata: str = "") -> None:
        """A room that is closed soon after everybody has left."""
        async with self._asking():
            await self._client.room.create_room(
                CreateRoomRequest(
                    name=room,
                    metadata=metadata,
                    empty_timeout=_EMPTY_SECONDS,
                    departure_timeout=_DEPARTURE_SECONDS,
                )
            )

    async def delete_room(self, room: str) -> None:
        """Close the room. One that is gone, or whose server is, has been closed already."""
        with suppress(RecordError):
            async with self._asking():
                await self._client.room.delete_room(DeleteRoomRequest(room=room))

    def token(self) -> api.AccessToken:
        """One of this server's, to be filled in."""
        return api.AccessToken(self._credentials.key, self._credentials.secret)

    async def enter(self, connection: rtc.Room, room: str, token: api.AccessToken) -> None:
        """Connect to a room with a token for it.

        Raises:
            RecordError: it does not come about.
        """
        try:
            await connection.connect(self._credentials.url, token.to_jwt())
        except rtc.ConnectError as error:
            raise refused_join(error, room, self._credentials) from None

    async def dispatch(self, agent_name: str, room: str) -> None:
        """Ask for an agent in the room; ``""`` is any that goes by no name."""
        async with self._asking():
            await self._client.agent_dispatch.create_dispatch(
                CreateAgentDispatchRequest(agent_name=agent_name, room=room)
            )

    async def dispatches(self, room: str) -> list[AgentDispatch]:
        """Every dispatch of the room with its jobs; nothing if there is no such room.

        Raises:
            RecordError: if the server does not answer.
        """
        async with self._asking():
            try:
                return list(await self._client.agent_dispatch.list_dispatch(room))
            except api.ServerError as error:
                if error.status == 404:
                    return []
                raise

    async def end_dispatches(self, agent_name: str, room: str) -> None:
        """End the agent's jobs in the room, as its worker sees it.

        A room or a server that is gone has ended them already.
        """
        service = self._client.agent_dispatch
        with suppress(RecordError):
            async with self._asking():
                for dispatch in await service.list_dispatch(room):
                    if dispatch.agent_name == agent_name:
                        await service.delete_dispatch(dispatch.id, room)

    async def join(self, connection: rtc.Room, room: str) -> None:
        """Connect as a hidden participant that hears everything and sends nothing."""
        token = (
            self.token()
            .with_identity(f"{_IDENTITY}{secrets.token_hex(4)}")
            .with_name("lkgate recorder")
            # Of kind egress: agents link STANDARD participants as the user, and wait for them.
            .with_kind("egress")
            .with_ttl(self._token_life)
            .with_grants(
                api.VideoGrants(
                    room_join=True,
                    room=room,
                    hidden=True,
                    can_subscribe=True,
                    can_publish=False,
                    can_publish_data=False,
                )
            )
        )
        await self.enter(connection, room, token)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        with named(self._credentials):
            async with asyncio.timeout(ANSWER_SECONDS):
                yield


@asynccontextmanager
async def connect(
    credentials: Credentials, *, token_life: timedelta = TOKEN_LIFE
) -> AsyncIterator[Server]:
    """A server whose address and key were tried.

    Raises:
        RecordError: no server, none that answers within ``ANSWER_SECONDS``, wrong key.
    """
    client = api.LiveKitAPI(credentials.url, credentials.key, credentials.secret, failover=False)
    try:
        server = Server(credentials, client, token_life)
        await server.room_exists("lkgate-hello")
        yield server
    finally:
        await client.aclose()


async def until(event: asyncio.Event, seconds: float) -> bool:
    """Whether ``event`` was set within ``seconds``."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
