"""Everything a hidden participant can know about a room, as events and tracks of a journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping

from livekit import rtc

from lkgate.bundle.journal import Journal
from lkgate.capture.fields import (
    Fields,
    dtmf_fields,
    meant,
    packet_fields,
    participant_fields,
    reason_of,
    track_fields,
)
from lkgate.capture.listening import Listening, drain
from lkgate.capture.role import RoleOf
from lkgate.capture.stream import StreamCapture
from lkgate.model.event import Json


class RoomCapture:
    """Writes a room down until it is closed.

    ``start`` may be called before ``room.connect`` (nothing can be missed then) and again after
    it; or once after it, with no ``await`` in between. Participants and tracks that were there
    already are recorded first, marked ``present``. Lines come in the order in which things
    arrived here.

    The room's emitter logs and drops what a handler raises, so a failure (a full disk) is kept in
    ``failure`` for the caller to look at, and raised by ``aclose``.

    ``admits``, if it is set, is asked before anything that happens in the room is written down,
    and what it denies is not.

    Args:
        room: as a hidden participant sees it; used through the public API of ``rtc.Room``.
        journal: written to, neither synced nor finished.
        now_us: session time.
        roles: who is who.
        started_at_unix_us: wall clock at session time 0, for the agent's own timestamps.
        topics: of text streams and data packets whose content to record, where it is small;
            ``None`` for all. LiveKit's own text is always recorded.
        sample_rate_hz, frame_ms: in which audio is read and stored.
        quality_every_us: in a real room, how often to note the media's quality; audio is then
            placed where it sounded, not where it was heard. ``None`` where there is no delay.
    """

    def __init__(
        self,
        room: rtc.Room,
        journal: Journal,
        *,
        now_us: Callable[[], int],
        roles: RoleOf | None = None,
        started_at_unix_us: int | None = None,
        topics: tuple[str, ...] | None = None,
        sample_rate_hz: int = 24_000,
        frame_ms: int = 100,
        quality_every_us: int | None = None,
    ):
        self.failure: BaseException | None = None
        self.admits: Callable[[rtc.Room], bool] = lambda _: True
        self.events = 0
        self._room = room
        self._journal = journal
        self._now_us = now_us
        self._roles = roles or RoleOf()
        self._topics = topics
        self._streams = StreamCapture(
            room,
            note=self.note,
            spawn=self._spawn,
            now_us=now_us,
            started_at_unix_us=started_at_unix_us,
            topics=topics,
            admits=lambda: self.admits(self._room),
        )
        self._handlers: list[tuple[rtc.room.EventTypes, Callable[..., None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = False
        self._participants: set[str] = set()
        self._publications: set[str] = set()
        self._listening = Listening(
            journal,
            note=self.note,
            spawn=self._spawn,
            now_us=now_us,
            sample_rate_hz=sample_rate_hz,
            frame_ms=frame_ms,
            quality_every_us=quality_every_us,
        )

    @property
    def tracks(self) -> int:
        """How many audio tracks have been heard of."""
        return self._listening.tracks

    def note(self, kind: str, data: Mapping[str, Json]) -> None:
        """Write an event, now."""
        self.events += 1
        self._journal.event(self._now_us(), kind, data)

    def start(self) -> None:
        """Begin to write. See the class."""
        if not self._handlers:
            self._register()
        if self._room.isconnected() and self.admits(self._room):
            self._look_around()

    def overhear(self, room: rtc.Room) -> None:
        """Also take what an agent's session tells the participant who ``room`` is alone.

        For a caller of lkgate's own, before it connects: LiveKit Agents for Node tells nobody else.
        """
        self._streams.overhear(room)

    def move(self, room: rtc.Room) -> None:
        """Go on in another connection to the same room, not yet made: the last one is lost.

        What is there when it is made is recorded as at the beginning; a voice goes on in its track.
        """
        started = bool(self._handlers)
        self._leave()
        self._participants.clear()
        self._publications.clear()
        self._listening.cut()
        self._listening.end_all()
        self._connected = False
        self._room = room
        self._streams.room = room
        if started:
            self._register()

    async def aclose(self) -> None:
        """Stop, with all that was received written down. Raises the first failure, if any."""
        await drain()
        self._leave()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.failure is not None:
            raise self.failure

    def _leave(self) -> None:
        for event, handler in self._handlers:
            self._room.off(event, handler)
        if self._handlers:
            self._streams.stop()
        self._handlers = []

    def _register(self) -> None:
        self._on("participant_connected", self._participant_connected)
        self._on("participant_disconnected", self._participant_disconnected)
        self._on("participant_attributes_changed", self._attributes_changed)
        self._on("participant_metadata_changed", self._participant_metadata)
        self._on("participant_name_changed", self._participant_name)
        self._on("room_metadata_changed", self._room_metadata)
        self._on("track_published", self._track_published)
        self._on("track_unpublished", self._track_unpublished)
        self._on("track_subscribed", self._track_subscribed)
        self._on("track_unsubscribed", self._track_unsubscribed)
        self._on("track_subscription_failed", self._subscription_failed)
        self._on("track_muted", lambda who, pub: self._mute(who, pub, muted=True))
        self._on("track_unmuted", lambda who, pub: self._mute(who, pub, muted=False))
        self._on("data_received", self._data_received)
        self._on(
            "sip_dtmf_received", lambda dtmf: self.note("sip_dtmf_received", dtmf_fields(dtmf))
        )
        self._on("reconnecting", self._reconnecting)
        self._on("reconnected", self._reconnected)
        self._on("disconnected", self._disconnected)
        self._streams.start()

    def _on(self, event: rtc.room.EventTypes, handler: Callable[..., None]) -> None:
        def guarded(*args: object) -> None:
            try:
                if self.admits(self._room):
                    self._look_around()
                    handler(*args)
            except Exception as error:  # noqa: BLE001 - the emitter would log and drop it
                self._fail(error)

        self._room.on(event, guarded)
        self._handlers.append((event, guarded))

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    def _look_around(self) -> None:
        """Write who and what was in the room before anything happened in it."""
        if self._connected:
            return
        self._connected = True
        self._listening.restored()
        self._spawn(self._note_connected())
        for participant in list(self._room.remote_participants.values()):
            self._meet(participant, present=True)
            for publication in list(participant.track_publications.values()):
                self._see(publication, participant, present=True)
                if publication.track is not None:
                    self._track_subscribed(publication.track, publication, participant)

    async def _note_connected(self) -> None:
        self.note("connected", {"room": self._room.name, "sid": await self._room.sid})

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
            self.note(kind, {"identity": participant.identity, **data})

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
        self.note("room_metadata_changed", {"old": old, "new": new})

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
        self.note("data_received", packet_fields(packet, self._topics))

    def _reconnecting(self) -> None:
        self.note("reconnecting", {})
        self._listening.cut()

    def _reconnected(self) -> None:
        self.note("reconnected", {})
        self._listening.restored()

    def _disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self.note("disconnected", {"reason": reason_of(reason)})
        if meant(reason):
            self._listening.restored()
        else:
            self._listening.cut()
