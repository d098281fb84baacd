"""Publishing tracks, and being subscribed to them."""

from __future__ import annotations

from typing import Any

from livekit.rtc._proto import room_pb2, track_pb2

from lkgate.harness.room.audio import Audio
from lkgate.harness.room.client import Client, Publication
from lkgate.harness.room.ffi import Ask, Handler, VirtualFfi
from lkgate.harness.room.hub import Hub
from lkgate.harness.room.track import AudioTrack, track_info


class Tracks:
    """The part of the virtual server that passes media on."""

    def __init__(self, ffi: VirtualFfi, audio: Audio, hub: Hub) -> None:
        self._ffi = ffi
        self._audio = audio
        self._hub = hub
        # Publications as their subscribers hold them: whose, by whom, which.
        self._handles: dict[int, tuple[Client, Client, Publication]] = {}
        audio.find = self._find

    def handlers(self) -> dict[str, Handler]:
        return {
            "publish_track": self._publish,
            "unpublish_track": self._unpublish,
            "set_subscribed": self._set_subscribed,
            "set_track_subscription_permissions": _nothing,
            "set_remote_track_publication_quality": _nothing,
            "update_remote_track_publication_dimension": _nothing,
            "enable_remote_track_publication": _nothing,
        }

    # -- the hub's Part

    def list_for(
        self, client: Client, other: Client, listed: room_pb2.ConnectCallback.ParticipantWithTracks
    ) -> None:
        for publication in other.publications.values():
            listed.publications.append(self._owned(client, other, publication))
            self._announced(client, other, publication)

    def leaves(self, client: Client) -> None:
        for publication in client.publications.values():
            publication.track.on_mute = None
        for track in client.subscribed.values():
            self._audio.end(track)

    def left(self, client: Client, other: Client) -> None:
        for publication in client.publications.values():
            self._withdraw(other, client, publication)

    # -- publishing

    def _publish(self, req: room_pb2.PublishTrackRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.publish_track, inbox=client.inbox)
        track = self._audio.tracks[req.track_handle]
        publication = Publication(self._hub.new_sid("TR"), track, req.options.source)
        self._hub.after(
            self._hub.link.publish_us, lambda: self._published(client, publication, ask)
        )

    def _published(self, client: Client, publication: Publication, ask: Ask) -> None:
        if client.gone:
            self._hub.answer("publish_track", ask, error="engine: connection closed")
            return
        client.publications[publication.sid] = publication
        publication.track.on_mute = lambda muted: self._on_mute(client, publication, muted)
        owned = track_pb2.OwnedTrackPublication(info=publication.info(remote=False))
        owned.handle.id = self._ffi.handle()
        self._hub.answer("publish_track", ask, publication=owned)
        client.tell(local_track_published=room_pb2.LocalTrackPublished(track_sid=publication.sid))
        self._hub.later(lambda: self._announce(client, publication))

    def _announce(self, owner: Client, publication: Publication) -> None:
        if publication.sid not in owner.publications or owner.gone or owner.ticket.hidden:
            return
        for client in self._hub.present(but=owner):
            if publication.sid in client.told or owner.identity not in client.known:
                continue
            published = room_pb2.TrackPublished(
                participant_identity=owner.identity,
                publication=self._owned(client, owner, publication),
            )
            client.tell(track_published=published)
            self._announced(client, owner, publication)

    def _announced(self, client: Client, owner: Client, publication: Publication) -> None:
        client.told.add(publication.sid)
        if client.auto_subscribe:
            self._hub.after(
                self._hub.link.subscribe_us, lambda: self._subscribe(client, owner, publication)
            )

    def _unpublish(self, req: room_pb2.UnpublishTrackRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.unpublish_track, inbox=client.inbox)
        publication = client.publications.pop(req.track_sid, None)
        if publication is None:
            self._hub.answer("unpublish_track", ask, error="track not found")
            return
        publication.track.on_mute = None
        self._hub.answer("unpublish_track", ask)
        unpublished = room_pb2.LocalTrackUnpublished(publication_sid=publication.sid)
        client.tell(local_track_unpublished=unpublished)

        def arrive() -> None:
            for other in self._hub.present(but=client):
                self._withdraw(other, client, publication)

        self._hub.later(arrive)

    def _withdraw(self, client: Client, owner: Client, publication: Publication) -> None:
        if publication.sid not in client.told:
            return
        self._unsubscribe(client, owner, publication)
        client.told.discard(publication.sid)
        unpublished = room_pb2.TrackUnpublished(
            participant_identity=owner.identity, publication_sid=publication.sid
        )
        client.tell(track_unpublished=unpublished)

    # -- subscribing

    def _set_subscribed(self, req: room_pb2.SetSubscribedRequest, resp: Any) -> None:
        client, owner, publication = self._handles[req.publication_handle]
        change = self._subscribe if req.subscribe else self._unsubscribe
        self._hub.later(lambda: change(client, owner, publication), trips=2)

    def _subscribe(self, client: Client, owner: Client, publication: Publication) -> None:
        sid = publication.sid
        there = sid in owner.publications and not owner.gone and not client.gone
        if not there or sid not in client.told or sid in client.subscribed:
            return
        handle = self._ffi.handle()
        source = publication.track
        track = AudioTrack(source.name, source.kind, source.sound, self._hub.link.latency_us)
        client.subscribed[sid] = self._audio.tracks[handle] = track
        self._ffi.own(handle, lambda: self._forget_track(handle))
        owned = track_pb2.OwnedTrack(info=track_info(track, sid=sid, remote=True))
        owned.handle.id = handle
        subscribed = room_pb2.TrackSubscribed(participant_identity=owner.identity, track=owned)
        client.tell(track_subscribed=subscribed)
        if not publication.heard and not client.ticket.hidden:
            publication.heard = True
            heard = room_pb2.LocalTrackSubscribed(track_sid=sid)
            self._hub.later(lambda: owner.tell(local_track_subscribed=heard))

    def _unsubscribe(self, client: Client, owner: Client, publication: Publication) -> None:
        track = client.subscribed.pop(publication.sid, None)
        if track is None:
            return
        self._audio.end(track)
        unsubscribed = room_pb2.TrackUnsubscribed(
            participant_identity=owner.identity, track_sid=publication.sid
        )
        client.tell(track_unsubscribed=unsubscribed)

    def _on_mute(self, owner: Client, publication: Publication, muted: bool) -> None:
        change = {"participant_identity": owner.identity, "track_sid": publication.sid}

        def arrive() -> None:
            for client in [owner, *self._hub.present(but=owner)]:
                if client is not owner and publication.sid not in client.told:
                    continue
                if muted:
                    client.tell(track_muted=room_pb2.TrackMuted(**change))
                else:
                    client.tell(track_unmuted=room_pb2.TrackUnmuted(**change))

        self._hub.later(arrive)

    # -- handles

    def _owned(
        self, client: Client, owner: Client, publication: Publication
    ) -> track_pb2.OwnedTrackPublication:
        handle = self._ffi.handle()
        self._handles[handle] = (client, owner, publication)
        self._ffi.own(handle, lambda: self._forget_publication(handle))
        owned = track_pb2.OwnedTrackPublication(info=publication.info(remote=True))
        owned.handle.id = handle
        return owned

    def _forget_publication(self, handle: int) -> None:
        del self._handles[handle]

    def _forget_track(self, handle: int) -> None:
        self._audio.tracks.pop(handle, None)

    def _find(self, participant_handle: int, source: int) -> AudioTrack | None:
        """What the participant publishes from ``source``, as a subscriber hears it."""
        owner = self._hub.behind(participant_handle)
        if owner is None:
            return None
        for publication in owner.publications.values():
            if publication.source == source and publication.track.kind == track_pb2.KIND_AUDIO:
                for client in self._hub.present(but=owner):
                    if publication.sid in client.subscribed:
                        return client.subscribed[publication.sid]
        return None


def _nothing(req: object, resp: object) -> None:
    """Answered, without any effect here."""
