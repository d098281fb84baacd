"""Data packets, DTMF tones and legacy transcriptions."""

from __future__ import annotations

import ctypes
from typing import Any

from livekit.rtc._proto import room_pb2

from lkgate.harness.room.client import Client
from lkgate.harness.room.ffi import Handler, VirtualFfi, bytes_at
from lkgate.harness.room.hub import Hub


class Data:
    """Single messages from one participant to others."""

    def __init__(self, ffi: VirtualFfi, hub: Hub) -> None:
        self._ffi = ffi
        self._hub = hub

    def handlers(self) -> dict[str, Handler]:
        return {
            "publish_data": self._publish_data,
            "publish_sip_dtmf": self._publish_dtmf,
            "publish_transcription": self._publish_transcription,
        }

    def _publish_data(self, req: room_pb2.PublishDataRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.publish_data)
        content = bytes_at(req.data_ptr, req.data_len)
        kind = room_pb2.KIND_RELIABLE if req.reliable else room_pb2.KIND_LOSSY

        def arrive(other: Client) -> None:
            handle = self._ffi.handle()
            buffer = ctypes.create_string_buffer(content, len(content))
            self._ffi.own(handle, buffer)
            packet = room_pb2.DataPacketReceived(kind=kind, participant_identity=client.identity)
            packet.user.topic = req.topic
            packet.user.data.handle.id = handle
            packet.user.data.data.data_ptr = ctypes.addressof(buffer)
            packet.user.data.data.data_len = len(content)
            other.tell(data_packet_received=packet)

        self._send(client, list(req.destination_identities), arrive)
        self._hub.answer("publish_data", ask)

    def _publish_dtmf(self, req: room_pb2.PublishSipDtmfRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.publish_sip_dtmf)
        packet = room_pb2.DataPacketReceived(
            kind=room_pb2.KIND_RELIABLE,
            participant_identity=client.identity,
            sip_dtmf=room_pb2.SipDTMF(code=req.code, digit=req.digit),
        )
        self._send(
            client,
            list(req.destination_identities),
            lambda other: other.tell(data_packet_received=packet),
        )
        self._hub.answer("publish_sip_dtmf", ask)

    def _publish_transcription(self, req: room_pb2.PublishTranscriptionRequest, resp: Any) -> None:
        client = self._hub.client(req.local_participant_handle)
        ask = self._ffi.ask(resp.publish_transcription)
        received = room_pb2.TranscriptionReceived(
            participant_identity=req.participant_identity,
            track_sid=req.track_id,
            segments=req.segments,
        )
        self._send(client, [], lambda other: other.tell(transcription_received=received))
        self._hub.answer("publish_transcription", ask)

    def _send(self, client: Client, destinations: list[str], arrive: Any) -> None:
        def deliver() -> None:
            for other in self._hub.others(client, destinations):
                arrive(other)

        self._hub.later(deliver)
