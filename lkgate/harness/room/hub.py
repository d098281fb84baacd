"""The virtual server: one room, who is in it, and how they learn of each other."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any, Protocol

from livekit.rtc._proto import ffi_pb2, participant_pb2, room_pb2

from lkgate.harness.room.client import Client
from lkgate.harness.room.ffi import Ask, Handler, Inbox, RefusedError, VirtualFfi
from lkgate.harness.room.ticket import Ticket, read_token
from lkgate.harness.room.wire import Link, Wire

_DATA_THRESHOLD = 2 * 1024 * 1024


class Part(Protocol):
    """Something that goes on in the room besides people coming and going."""

    def list_for(
        self, client: Client, other: Client, listed: room_pb2.ConnectCallback.ParticipantWithTracks
    ) -> None:
        """``client`` joins and finds ``other`` there."""

    def leaves(self, client: Client) -> None:
        """``client`` leaves now."""

    def left(self, client: Client, other: Client) -> None:
        """``other`` learns that ``client`` left."""


class Hub:
    """One room, joined by any number of ``rtc.Room`` objects of this process.

    Whoever connects is who the token says. Hidden participants are seen by nobody. What one does
    the others learn after the link's latency, in order.

    Args:
        ffi: the installed virtual library.
        room: the room's name.
        link: latencies.
        deaf: identities that are sent no data streams, because they would not read them.

    Attributes:
        parts: what else has to know when somebody comes or goes.
    """

    def __init__(
        self, ffi: VirtualFfi, *, room: str, link: Link, deaf: frozenset[str] = frozenset()
    ) -> None:
        self.room = room
        self.sid = "RM_lkgate"
        self.link = link
        self.metadata = ""
        self.parts: list[Part] = []
        self._deaf = deaf
        self._ffi = ffi
        self._loop = asyncio.get_running_loop()
        self._wire = Wire(self._loop)
        self._clients: dict[str, Client] = {}
        self._by_handle: dict[int, Client] = {}
        self._sids = itertools.count(1)
        self._participants: dict[int, str] = {}
        self._created_ms = int(time.time() * 1000)

    def handlers(self) -> dict[str, Handler]:
        return {
            "connect": self._connect,
            "ready_for_room_event": self._ready,
            "disconnect": self._disconnect,
            "e2ee": _refuse("end-to-end encryption"),
            "simulate_scenario": _refuse("simulated network failures"),
        }

    # -- what the other parts of the room need

    def client(self, handle: int) -> Client:
        """Whose room or local participant this is.

        Raises:
            RuntimeError: it has left the room.
        """
        client = self._by_handle.get(handle)
        if client is None or client.gone:
            raise RuntimeError("engine: connection closed")
        return client

    def named(self, identity: str) -> Client | None:
        """Who is in the room under this name."""
        return self._clients.get(identity)

    def seen(self) -> list[str]:
        """Identities of those who are not hidden, in the order in which they came."""
        return [one.identity for one in self._clients.values() if not one.ticket.hidden]

    def behind(self, participant_handle: int) -> Client | None:
        """Whom a remote participant's handle stands for, while he is in the room."""
        return self._clients.get(self._participants.get(participant_handle, ""))

    def present(self, *, but: Client) -> list[Client]:
        """Everybody else, the hidden too."""
        return [one for one in self._clients.values() if one is not but]

    def others(self, client: Client, destinations: list[str] | None = None) -> list[Client]:
        """Who gets what ``client`` sends: those named, or all."""
        if client.ticket.hidden:
            return []
        return [
            other
            for other in self._clients.values()
            if other is not client and (not destinations or other.identity in destinations)
        ]

    def later(self, arrive: Callable[[], None], *, trips: int = 1) -> None:
        """Call after so many times the link's latency, in order."""
        self._wire.send(self.link.latency_us * trips, arrive)

    def after(self, delay_us: int, call: Callable[[], None]) -> None:
        """Call after a delay."""
        self._wire.send(delay_us, call)

    def answer(self, kind: str, ask: Ask, *, trips: int = 0, **fields: Any) -> None:
        """Complete a request of the program's."""
        event = ffi_pb2.FfiEvent()
        message = getattr(event, kind)
        message.MergeFrom(type(message)(async_id=ask.async_id, **fields))
        if trips:
            self.later(lambda: self._ffi.put(event, ask.inbox), trips=trips)
        else:
            self._ffi.put(event, ask.inbox)

    def new_sid(self, prefix: str) -> str:
        return f"{prefix}_lkgate{next(self._sids):04}"

    # -- joining and leaving

    def _connect(self, req: room_pb2.ConnectRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.connect)
        room_inbox = self._ffi.room_inbox()
        if req.options.HasField("encryption") or req.options.HasField("e2ee"):
            self.answer("connect", ask, error="the virtual room has no encryption")
            return
        try:
            ticket = read_token(req.token)
        except ValueError as error:
            self.answer("connect", ask, error=f"engine: signal failure: 401 {error}")
            return
        if ticket.room and ticket.room != self.room:
            message = f"the virtual room is {self.room}; there is no room {ticket.room}"
            self.answer("connect", ask, error=message)
            return
        auto = req.options.auto_subscribe
        self._wire.send(self.link.connect_us, lambda: self._join(ticket, ask, room_inbox, auto))

    def _join(self, ticket: Ticket, ask: Ask, inbox: Inbox | None, auto_subscribe: bool) -> None:
        twin = self._clients.get(ticket.identity)
        if twin is not None:
            self.remove(twin, participant_pb2.DUPLICATE_IDENTITY)
        client = Client(
            ffi=self._ffi,
            ticket=ticket,
            sid=self.new_sid("PA"),
            joined_at_ms=int(time.time() * 1000),
            auto_subscribe=auto_subscribe,
            streams=ticket.identity not in self._deaf,
            inbox=inbox,
            room_handle=self._ffi.handle(),
            handle=self._ffi.handle(),
            name=ticket.name,
            metadata=ticket.metadata,
            attributes=dict(ticket.attributes),
        )
        there = [other for other in self._clients.values() if not other.ticket.hidden]
        self._clients[ticket.identity] = client
        self._by_handle[client.room_handle] = self._by_handle[client.handle] = client
        result = room_pb2.ConnectCallback.Result()
        result.room.handle.id = client.room_handle
        result.room.info.CopyFrom(self.info())
        result.local_participant.handle.id = client.handle
        result.local_participant.info.CopyFrom(client.info())
        for other in there:
            listed = result.participants.add()
            listed.participant.CopyFrom(self._owned(other))
            client.known.add(other.identity)
            for part in self.parts:
                part.list_for(client, other, listed)
        # What RoomIO waits for if it was started before the room was connected.
        state = room_pb2.ConnectionStateChanged(state=room_pb2.CONN_CONNECTED)
        client.tell(connection_state_changed=state)
        self.answer("connect", ask, result=result)
        if not ticket.hidden:
            self.later(lambda: self._announce(client))

    def _announce(self, joined: Client) -> None:
        for client in self.present(but=joined):
            if joined.identity in client.known:
                continue
            client.known.add(joined.identity)
            info = self._owned(joined)
            client.tell(participant_connected=room_pb2.ParticipantConnected(info=info))
            active = room_pb2.ParticipantActive(participant_identity=joined.identity)
            client.tell(participant_active=active)

    def _ready(self, req: room_pb2.ReadyForRoomEventRequest, resp: Any) -> None:
        self.client(req.room_handle).ready()

    def _disconnect(self, req: room_pb2.DisconnectRequest, resp: Any) -> None:
        self.answer("disconnect", self._ffi.ask(resp.disconnect))
        client = self._by_handle.get(req.room_handle)
        if client is not None and not client.gone:
            self._depart(client, req.reason)
            client.leave()

    def remove(self, client: Client, reason: participant_pb2.DisconnectReason.ValueType) -> None:
        """The server ends a participant's connection."""
        if client.gone:
            return
        self._depart(client, reason)
        state = room_pb2.ConnectionStateChanged(state=room_pb2.CONN_DISCONNECTED)
        client.tell(connection_state_changed=state)
        client.tell(disconnected=room_pb2.Disconnected(reason=reason))
        client.leave()

    def close(self, reason: participant_pb2.DisconnectReason.ValueType) -> None:
        """The server closes the room: everybody but the hidden is put out."""
        for client in [one for one in self._clients.values() if not one.ticket.hidden]:
            self.remove(client, reason)

    def _depart(self, client: Client, reason: participant_pb2.DisconnectReason.ValueType) -> None:
        del self._clients[client.identity]
        for part in self.parts:
            part.leaves(client)

        def arrive() -> None:
            for other in self.present(but=client):
                if client.identity not in other.known:
                    continue
                for part in self.parts:
                    part.left(client, other)
                other.known.discard(client.identity)
                left = room_pb2.ParticipantDisconnected(
                    participant_identity=client.identity, disconnect_reason=reason
                )
                other.tell(participant_disconnected=left)

        self.later(arrive)

    def info(self) -> room_pb2.RoomInfo:
        seen = [one for one in self._clients.values() if not one.ticket.hidden]
        return room_pb2.RoomInfo(
            sid=self.sid,
            name=self.room,
            metadata=self.metadata,
            lossy_dc_buffered_amount_low_threshold=_DATA_THRESHOLD,
            reliable_dc_buffered_amount_low_threshold=_DATA_THRESHOLD,
            empty_timeout=300,
            departure_timeout=20,
            max_participants=0,
            creation_time=self._created_ms,
            num_participants=len(seen),
            num_publishers=sum(bool(one.publications) for one in seen),
            active_recording=False,
        )

    def _owned(self, other: Client) -> participant_pb2.OwnedParticipant:
        handle = self._ffi.handle()
        self._participants[handle] = other.identity
        self._ffi.own(handle, lambda: self._forget(handle))
        owned = participant_pb2.OwnedParticipant(info=other.info())
        owned.handle.id = handle
        return owned

    def _forget(self, handle: int) -> None:
        del self._participants[handle]


def _refuse(what: str) -> Handler:
    def handler(req: object, resp: object) -> None:
        raise RefusedError(f"the virtual room has no {what}")

    return handler
