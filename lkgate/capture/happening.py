"""What happens in a room, as lines of a journal, and the tracks that begin and end with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from livekit import rtc

from lkgate.capture.fields import (
    Fields,
    dtmf_fields,
    meant,
    packet_fields,
    participant_fields,
    reason_of,
    track_fields,
)
from lkgate.capture.listening import Listening
from lkgate.capture.role import RoleOf
from lkgate.model.event import Json


class RoomEvents:
    """Writes down each event of a room that it is handed, and who and what was there before.

    Args:
        note: writes a line, now.
        listening: keeps the tracks.
        roles: who is who.
        topics: as of :class:`~lkgate.capture.room.RoomCapture`.
    """

    def __init__(
        self,
        *,
        note: Callable[[str, Mapping[str, Json]], None],
        listening: Listening,
        roles: RoleOf,
        topics: tuple[str, ...] | None,
    ):
        self._note = note
        self._listening = listening
        self._roles = roles
        self._topics = topics
        self._participants: set[str] = set()
        self._publications: set[str] = set()

    def handlers(self) -> Iterator[tuple[rtc.room.EventTypes, Callable[..., None]]]:
        """What to call at each event of a room."""
        yield "participant_connected", self._participant_connected
        yield "participant_disconnected", self._participant_disconnected
        yield "participant_attributes_changed", self._attributes_changed
        yield "participant_metadata_changed", self._participant_metadata
        yield "participant_name_changed", self._participant_name
        yield "room_metadata_changed", self._room_metadata
        yield "track_published", self._track_published
        yield "track_unpublished", self._track_unpublished
        yield "track_subscribed", self._track_subscribed
        yield "track_unsubscribed", self._track_unsubscribed
        yield "track_subscription_failed", self._subscription_failed
        yield "track_muted", partial(self._mute, muted=True)
        yield "track_unmuted", partial(self._mute, muted=False)
        yield "data_received", self._data_received
        yield "sip_dtmf_received", self._dtmf_received
        yield "reconnecting", self._reconnecting
        yield "reconnected", self._reconnected
        yield "disconnected", self._disconnected

    def look_around(self, room: rtc.Room) -> None:
        """Write who and what is in the room already."""
        for participant in list(room.remote_participants.values()):
            self._meet(participant, present=True)
            for publication in list(participant.track_publications.values()):
                self._see(publication, participant, present=True)
                if publication.track is not None:
                    self._track_subscribed(publication.track, publication, participant)

    def lose(self) -> None:
        """The connection is lost: everybody and everything is met anew in the next one."""
        self._participants.clear()
        self._publications.clear()
        self._listening.cut()
        self._listening.end_all()

    def _meet(self, participant: rtc.RemoteParticipant, *, present: bool) -> None:
        if participant.sid in self._participants:
            return
        self._participants.add(participant.sid)
        data = participant_fields(participant)
        if present:
            data["present"] = True
        self._note_of(participant, "participant_connected", data)

    def _see(
        self,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
        *,
        present: bool,
    ) -> None:
        if publication.sid in self._publications:
            return
        self._publications.add(publication.sid)
        data = track_fields(publication)
        if present:
            data["present"] = True
        self._note_of(participant, "track_published", data)

    def _note_of(self, participant: rtc.Participant, kind: str, data: Fields) -> None:
        if self._roles.participant(participant) is not None:
            self._note(kind, {"identity": participant.identity, **data})

    def _participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        self._meet(participant, present=False)

    def _participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        self._participants.discard(participant.sid)
        data: Fields = {"reason": reason_of(participant.disconnect_reason)}
        self._note_of(participant, "participant_disconnected", data)

    def _attributes_changed(self, changed: dict[str, str], participant: rtc.Participant) -> None:
        self._note_of(participant, "participant_attributes_changed", {"changed": dict(changed)})

    def _participant_metadata(self, participant: rtc.Participant, old: str, new: str) -> None:
        self._note_of(participant, "participant_metadata_changed", {"old": old, "new": new})

    def _participant_name(self, participant: rtc.Participant, old: str, new: str) -> None:
        self._note_of(participant, "participant_name_changed", {"old": old, "new": new})

    def _room_metadata(self, old: str, new: str) -> None:
        self._note("room_metadata_changed", {"old": old, "new": new})

    def _track_published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._see(publication, participant, present=False)

    def _track_unpublished(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._publications.discard(publication.sid)
        self._note_of(participant, "track_unpublished", track_fields(publication))

    def _track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if self._listening.knows(publication):
            return
        self._note_of(participant, "track_subscribed", track_fields(publication))
        if publication.kind != rtc.TrackKind.KIND_AUDIO:
            return
        role = self._roles.track(participant, publication)
        if role is not None:
            self._listening.begin(track, publication, participant, role)

    def _track_unsubscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        self._note_of(participant, "track_unsubscribed", track_fields(publication))
        self._listening.end(publication)

    def _subscription_failed(
        self, participant: rtc.RemoteParticipant, track_sid: str, error: str
    ) -> None:
        data: Fields = {"track_sid": track_sid, "error": error}
        self._note_of(participant, "track_subscription_failed", data)

    def _mute(
        self, participant: rtc.Participant, publication: rtc.TrackPublication, *, muted: bool
    ) -> None:
        kind = "track_muted" if muted else "track_unmuted"
        self._note_of(participant, kind, track_fields(publication))
        self._listening.mute(publication, muted=muted)

    def _data_received(self, packet: rtc.DataPacket) -> None:
        self._note("data_received", packet_fields(packet, self._topics))

    def _dtmf_received(self, dtmf: rtc.SipDTMF) -> None:
        self._note("sip_dtmf_received", dtmf_fields(dtmf))

    def _reconnecting(self) -> None:
        self._note("reconnecting", {})
        self._listening.cut()

    def _reconnected(self) -> None:
        self._note("reconnected", {})
        self._listening.restored()

    def _disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self._note("disconnected", {"reason": reason_of(reason)})
        if meant(reason):
            self._listening.restored()
        else:
            self._listening.cut()
