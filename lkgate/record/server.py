"""What the recorder asks of a LiveKit server, with every refusal as a sentence."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta

import aiohttp
from livekit import api, rtc
from livekit.protocol.agent_dispatch import AgentDispatch, CreateAgentDispatchRequest
from livekit.protocol.room import CreateRoomRequest, DeleteRoomRequest, ListRoomsRequest

from lkgate.errors import RecordError
from lkgate.record.credentials import Credentials

_POLL_SECONDS = 0.5
_EMPTY_SECONDS = 60
_DEPARTURE_SECONDS = 20
# Of the token to join with. While connected, the server hands out new ones by itself.
TOKEN_LIFE = timedelta(hours=24)
_EXPIRED = "token is expired"


class Server:
    """One server, asked with one key. Made by :func:`connect`."""

    def __init__(self, credentials: Credentials, client: api.LiveKitAPI, token_life: timedelta):
        self._credentials = credentials
        self._client = client
        self._token_life = token_life

    async def room_exists(self, room: str) -> bool:
        with self._named():
            found = await self._client.room.list_rooms(ListRoomsRequest(names=[room]))
        return len(found.rooms) > 0

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
        with self._named():
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
        with suppress(RecordError), self._named():
            await self._client.room.delete_room(DeleteRoomRequest(room=room))

    def token(self) -> api.AccessToken:
        """One of this server's, to be filled in."""
        return api.AccessToken(self._credentials.key, self._credentials.secret)

    async def enter(self, connection: rtc.Room, room: str, token: api.AccessToken) -> None:
        """Connect to a room with a token for it.

        Raises:
            RecordError: it does not come about.
        """
        jwt = token.to_jwt()
        try:
            await connection.connect(self._credentials.url, jwt)
        except rtc.ConnectError as error:
            if _EXPIRED in error.message:
                raise RecordError(
                    f"could not join room {room!r}: by the server's clock, lkgate's token has "
                    "expired",
                    where=self._credentials.url,
                    next_step="Set this machine's clock.",
                ) from None
            # It quotes the whole token.
            message = self._credentials.redact(error.message.replace(jwt, "[token]"))
            raise RecordError(
                f"could not join room {room!r}: {message}", where=self._credentials.url
            ) from None

    async def dispatch(self, agent_name: str, room: str) -> None:
        """Ask for an agent in the room; ``""`` is any that goes by no name."""
        with self._named():
            await self._client.agent_dispatch.create_dispatch(
                CreateAgentDispatchRequest(agent_name=agent_name, room=room)
            )

    async def dispatches(self, room: str) -> list[AgentDispatch]:
        """Every dispatch of the room with its jobs; nothing if there is no such room.

        Raises:
            RecordError: if the server does not answer.
        """
        with self._named():
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
        with suppress(RecordError), self._named():
            for dispatch in await service.list_dispatch(room):
                if dispatch.agent_name == agent_name:
                    await service.delete_dispatch(dispatch.id, room)

    async def join(self, connection: rtc.Room, room: str) -> None:
        """Connect as a hidden participant that hears everything and sends nothing."""
        token = (
            self.token()
            .with_identity(f"lkgate-{secrets.token_hex(4)}")
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

    @contextmanager
    def _named(self) -> Iterator[None]:
        url = self._credentials.url
        try:
            yield
        except api.ServerError as error:
            if error.status == 401:
                raise RecordError(
                    "the server refused the API key (401)",
                    where=url,
                    next_step="Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET for this server.",
                ) from None
            if error.code == "unknown":  # no twirp error: another program's page
                raise RecordError(
                    f"what answers is no LiveKit server ({error.status})",
                    where=url,
                    next_step="Check LIVEKIT_URL.",
                ) from None
            message = self._credentials.redact(error.message)
            raise RecordError(
                f"the server answered {error.status} {error.code}: {message}", where=url
            ) from None
        except aiohttp.ClientConnectionError as error:
            raise RecordError(
                f"no LiveKit server answers: {_reason(error)}",
                where=url,
                next_step="Start it (livekit-server --dev), or check LIVEKIT_URL.",
            ) from None
        except aiohttp.ClientError as error:
            raise RecordError(f"what answers is no LiveKit server: {error}", where=url) from None
        except TimeoutError:
            raise RecordError("the server does not answer in time", where=url) from None


@asynccontextmanager
async def connect(
    credentials: Credentials, *, token_life: timedelta = TOKEN_LIFE
) -> AsyncIterator[Server]:
    """A server whose address and key were tried.

    Raises:
        RecordError: no server, wrong key.
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


def _reason(error: aiohttp.ClientConnectionError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        # asyncio's own text has the address in it, and not the reason.
        number = cause.errno
        if number is not None and not isinstance(cause, socket.gaierror):
            return os.strerror(number).lower()
        return (cause.strerror or str(cause)).lower()
    return str(error) or type(error).__name__
