"""Video: published and seen by name, but without pictures. A voice call has none to judge."""

from __future__ import annotations

from typing import Any

from livekit.rtc._proto import ffi_pb2, track_pb2, video_frame_pb2

from lkgate.harness.room.audio import Audio
from lkgate.harness.room.ffi import Handler, VirtualFfi
from lkgate.harness.room.sound import Sound
from lkgate.harness.room.track import AudioTrack, track_info


class Video:
    """Takes an avatar's frames and shows nobody's."""

    def __init__(self, ffi: VirtualFfi, audio: Audio) -> None:
        self._ffi = ffi
        self._audio = audio

    def handlers(self) -> dict[str, Handler]:
        return {
            "new_video_source": self._new_source,
            "capture_video_frame": self._capture,
            "create_video_track": self._create_track,
            "new_video_stream": self._new_stream,
            "video_stream_from_participant": self._stream_of_participant,
        }

    def _new_source(self, req: video_frame_pb2.NewVideoSourceRequest, resp: Any) -> None:
        source = resp.new_video_source.source
        source.handle.id = self._ffi.handle()
        source.info.type = req.type

    def _capture(self, req: object, resp: Any) -> None:
        resp.capture_video_frame.SetInParent()

    def _create_track(self, req: track_pb2.CreateVideoTrackRequest, resp: Any) -> None:
        handle = self._ffi.handle()
        track = AudioTrack(req.name, track_pb2.KIND_VIDEO, Sound(None))
        self._audio.tracks[handle] = track
        self._ffi.own(handle, lambda: self._drop(handle))
        resp.create_video_track.track.handle.id = handle
        resp.create_video_track.track.info.CopyFrom(track_info(track, sid="", remote=False))

    def _drop(self, handle: int) -> None:
        self._audio.tracks.pop(handle, None)

    def _new_stream(self, req: video_frame_pb2.NewVideoStreamRequest, resp: Any) -> None:
        self._stream(resp.new_video_stream.stream, req.type)

    def _stream_of_participant(
        self, req: video_frame_pb2.VideoStreamFromParticipantRequest, resp: Any
    ) -> None:
        self._stream(resp.video_stream_from_participant.stream, req.type)

    def _stream(self, stream: Any, kind: video_frame_pb2.VideoStreamType.ValueType) -> None:
        handle = self._ffi.handle()
        stream.handle.id = handle
        stream.info.type = kind
        self._ffi.own(handle, lambda: self._end(handle))

    def _end(self, handle: int) -> None:
        event = ffi_pb2.FfiEvent()
        event.video_stream_event.stream_handle = handle
        event.video_stream_event.eos.SetInParent()
        self._ffi.put(event)
