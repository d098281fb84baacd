"""One connected ``rtc.Room``, seen from the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from livekit.rtc._proto import (
    e2ee_pb2,
    ffi_pb2,
    participant_pb2,
    room_pb2,
    track_pb2,
)

from lkgate.harness.room.ffi import Inbox, VirtualFfi
from lkgate.harness.room.ticket import Ticket
from lkgate.harness.room.track import AudioTrack

# Transcriptions as text streams, no legacy packets: what current clients speak.
_CLIENT_PROTOCOL = 3


@dataclass(slots=True)
class Publication:
    """A published track. ``heard`` once somebody who is not hidden is subscribed."""

    sid: str
    track: AudioTrack
    source: track_pb2.TrackSource.ValueType
    heard: bool = False

    def info(self, *, remote: bool) -> track_pb2.TrackPublicationInfo:
        return track_pb2.TrackPublicationInfo(
            sid=self.sid,
            name=self.track.name,
            kind=self.track.kind,
            source=self.source,
            simulcasted=False,
            width=0,
            height=0,
            mime_type="audio/opus" if self.track.kind == track_pb2.KIND_AUDIO else "video/vp8",
            muted=self.track.sound.muted,
            remote=remote,
            encryption_type=e2ee_pb2.NONE,
        )


@dataclass(slots=True)
class Client:
    """A participant with its room: what it is, what it publishes, what it is told.

    Attributes:
        room_handle, handle: of its room and its local participant.
        auto_subscribe: as asked for when connecting.
        streams: it is sent data streams.
        publications: its own, by sid.
        known, told: identities and publications of others that it knows of.
        subscribed: others' tracks as it hears them, by the publication's sid.
        rpc_methods: that it answers.
        inbox: where its room listens.
        gone: it has left the room.
    """

    ffi: VirtualFfi
    ticket: Ticket
    sid: str
    joined_at_ms: int
    auto_subscribe: bool
    streams: bool = True
    room_handle: int = 0
    handle: int = 0
    name: str = ""
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    publications: dict[str, Publication] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    subscribed: dict[str, AudioTrack] = field(default_factory=dict)
    rpc_methods: set[str] = field(default_factory=set)
    inbox: Inbox | None = None
    gone: bool = False
    _ready: bool = False
    _held: list[ffi_pb2.FfiEvent] = field(default_factory=list)

    @property
    def identity(self) -> str:
        return self.ticket.identity

    def info(self) -> participant_pb2.ParticipantInfo:
        """As everybody sees it now."""
        return participant_pb2.ParticipantInfo(
            sid=self.sid,
            name=self.name,
            identity=self.identity,
            state=participant_pb2.PARTICIPANT_STATE_ACTIVE,
            metadata=self.metadata,
            attributes=self.attributes,
            kind=self.ticket.kind,
            disconnect_reason=participant_pb2.UNKNOWN_REASON,
            joined_at=self.joined_at_ms,
            permission=participant_pb2.ParticipantPermission(
                can_subscribe=True,
                can_publish=not self.ticket.hidden,
                can_publish_data=not self.ticket.hidden,
                hidden=self.ticket.hidden,
                can_update_metadata=True,
                can_subscribe_metrics=False,
                can_manage_agent_session=False,
            ),
            client_protocol=_CLIENT_PROTOCOL,
        )

    # -- telling it things

    def ready(self) -> None:
        """Its room listens now: tell it what has happened since it joined."""
        self._ready = True
        held, self._held = self._held, []
        for event in held:
            self.ffi.put(event, self.inbox)

    def tell(self, **message: Any) -> None:
        """A room event with this one message."""
        if not self.gone:
            self._put(room_pb2.RoomEvent(room_handle=self.room_handle, **message))

    def leave(self) -> None:
        """The last event that its room gets."""
        self.gone = True
        self._put(room_pb2.RoomEvent(room_handle=self.room_handle, eos=room_pb2.RoomEOS()))

    def _put(self, room_event: room_pb2.RoomEvent) -> None:
        event = ffi_pb2.FfiEvent(room_event=room_event)
        if self._ready:
            self.ffi.put(event, self.inbox)
        else:
            self._held.append(event)


def entries(attributes: Mapping[str, str]) -> Iterable[room_pb2.AttributesEntry]:
    return [room_pb2.AttributesEntry(key=key, value=attributes[key]) for key in attributes]
