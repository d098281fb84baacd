"""What participants say about themselves, and what a room says about its network."""

from __future__ import annotations

from typing import Any

from livekit.rtc._proto import room_pb2

from lkgate.harness.room.client import Client, entries
from lkgate.harness.room.ffi import Handler, VirtualFfi
from lkgate.harness.room.hub import Hub


class Profiles:
    """Attributes, metadata, names. Everybody learns of a change, who made it too."""

    def __init__(self, ffi: VirtualFfi, hub: Hub) -> None:
        self._ffi = ffi
        self._hub = hub

    def handlers(self) -> dict[str, Handler]:
        return {
            "set_local_attributes": self._set_attributes,
            "set_local_metadata": self._set_metadata,
            "set_local_name": self._set_name,
            "get_session_stats": self._session_stats,
        }

    def _set_attributes(self, req: room_pb2.SetLocalAttributesRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.set_local_attributes)
        wanted = {entry.key: entry.value for entry in req.attributes}
        changed = {
            key: value for key, value in wanted.items() if client.attributes.get(key, "") != value
        }
        client.attributes.update(changed)
        for key in [key for key, value in client.attributes.items() if not value]:
            del client.attributes[key]
        if changed:
            self._broadcast(
                client,
                participant_attributes_changed=room_pb2.ParticipantAttributesChanged(
                    participant_identity=client.identity,
                    attributes=entries(client.attributes),
                    changed_attributes=entries(changed),
                ),
            )
        self._hub.answer("set_local_attributes", ask, trips=2)

    def _set_metadata(self, req: room_pb2.SetLocalMetadataRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.set_local_metadata)
        client.metadata = req.metadata
        changed = room_pb2.ParticipantMetadataChanged(
            participant_identity=client.identity, metadata=req.metadata
        )
        self._broadcast(client, participant_metadata_changed=changed)
        self._hub.answer("set_local_metadata", ask, trips=2)

    def _set_name(self, req: room_pb2.SetLocalNameRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.set_local_name)
        client.name = req.name
        changed = room_pb2.ParticipantNameChanged(
            participant_identity=client.identity, name=req.name
        )
        self._broadcast(client, participant_name_changed=changed)
        self._hub.answer("set_local_name", ask, trips=2)

    def _broadcast(self, client: Client, **message: Any) -> None:
        def arrive() -> None:
            for other in [client, *self._hub.present(but=client)]:
                if other is client or client.identity in other.known:
                    other.tell(**message)

        self._hub.later(arrive)

    def _session_stats(self, req: room_pb2.GetSessionStatsRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.get_session_stats)
        # Nothing travelled over a network, so there is nothing to count.
        result = room_pb2.GetSessionStatsCallback.Result()
        self._hub.answer("get_session_stats", ask, result=result)
