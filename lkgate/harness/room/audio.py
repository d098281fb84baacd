"""Audio sources, tracks, streams and resamplers, as requests of ``livekit.rtc``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from livekit.rtc._proto import audio_frame_pb2, ffi_pb2, track_pb2

from lkgate.harness.room.ffi import Handler, RefusedError, VirtualFfi
from lkgate.harness.room.resampler import replace_resampler
from lkgate.harness.room.sound import Sound
from lkgate.harness.room.source import Source, replace_capture
from lkgate.harness.room.stream import Stream, replace_run
from lkgate.harness.room.track import AudioTrack, track_info

_DEFAULT_RATE_HZ = 48_000
_DEFAULT_FRAME_MS = 10
_STREAM = audio_frame_pb2.AUDIO_STREAM_NATIVE
_SOURCE = audio_frame_pb2.AUDIO_SOURCE_NATIVE


class Audio:
    """Answers everything about audio that needs no room.

    Attributes:
        tracks: by handle; the hub adds those of subscribers.
        find: what a participant publishes from a source just now; set by the hub.
    """

    def __init__(self, ffi: VirtualFfi) -> None:
        self.tracks: dict[int, AudioTrack] = {}
        self.find: Callable[[int, int], AudioTrack | None] = lambda participant, source: None
        self._ffi = ffi
        self._sources: dict[int, Source] = {}
        self._streams: dict[int, Stream] = {}
        replace_run(self._streams)
        replace_capture(self._sources)
        replace_resampler()

    def handlers(self) -> dict[str, Handler]:
        return {
            "new_audio_source": self._new_source,
            "clear_audio_buffer": self._clear,
            "create_audio_track": self._create_track,
            "local_track_mute": self._mute,
            "enable_remote_track": self._enable,
            "get_stats": self._stats,
            "new_audio_stream": self._stream_of_track,
            "audio_stream_from_participant": self._stream_of_participant,
        }

    def end(self, track: AudioTrack) -> None:
        """The track is gone: the streams that read it end."""
        for stream in [one for one in self._streams.values() if one.track is track]:
            stream.end()

    # -- sources and tracks

    def _new_source(self, req: audio_frame_pb2.NewAudioSourceRequest, resp: Any) -> None:
        if req.platform_audio_handle:
            raise RefusedError("the virtual room has no microphone of the machine's")
        handle = self._ffi.handle()
        self._sources[handle] = Source(req.sample_rate, req.num_channels, req.queue_size_ms)
        self._ffi.own(handle, lambda: self._drop_source(handle))
        resp.new_audio_source.source.handle.id = handle
        resp.new_audio_source.source.info.type = _SOURCE

    def _drop_source(self, handle: int) -> None:
        self._sources.pop(handle).clear()

    def _clear(self, req: audio_frame_pb2.ClearAudioBufferRequest, resp: Any) -> None:
        self._sources[req.source_handle].clear()

    def _create_track(self, req: track_pb2.CreateAudioTrackRequest, resp: Any) -> None:
        source = self._sources[req.source_handle]
        handle = self._ffi.handle()
        track = AudioTrack(req.name, track_pb2.KIND_AUDIO, Sound(source.timeline))
        self.tracks[handle] = track
        self._ffi.own(handle, lambda: self._drop_track(handle))
        resp.create_audio_track.track.handle.id = handle
        resp.create_audio_track.track.info.CopyFrom(track_info(track, sid="", remote=False))

    def _drop_track(self, handle: int) -> None:
        self.tracks.pop(handle, None)

    def _mute(self, req: track_pb2.LocalTrackMuteRequest, resp: Any) -> None:
        track = self.tracks[req.track_handle]
        if track.sound.muted != req.mute:
            track.sound.mute(asyncio.get_running_loop().time(), req.mute)
            if track.on_mute is not None:
                track.on_mute(req.mute)
        resp.local_track_mute.muted = req.mute

    def _enable(self, req: track_pb2.EnableRemoteTrackRequest, resp: Any) -> None:
        resp.enable_remote_track.enabled = req.enabled

    def _stats(self, req: track_pb2.GetStatsRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.get_stats)
        event = ffi_pb2.FfiEvent()
        event.get_stats.async_id = ask.async_id
        self._ffi.put(event, ask.inbox)

    # -- streams

    def _stream_of_track(self, req: audio_frame_pb2.NewAudioStreamRequest, resp: Any) -> None:
        track = self.tracks.get(req.track_handle)
        handle = self._open(req, lambda: track)
        if track is None:  # it had ended already
            self._streams[handle].end()
        resp.new_audio_stream.stream.handle.id = handle
        resp.new_audio_stream.stream.info.type = _STREAM

    def _stream_of_participant(
        self, req: audio_frame_pb2.AudioStreamFromParticipantRequest, resp: Any
    ) -> None:
        participant, source = req.participant_handle, req.track_source
        handle = self._open(req, lambda: self.find(participant, source), follows=True)
        resp.audio_stream_from_participant.stream.handle.id = handle
        resp.audio_stream_from_participant.stream.info.type = _STREAM

    def _open(
        self,
        req: audio_frame_pb2.NewAudioStreamRequest
        | audio_frame_pb2.AudioStreamFromParticipantRequest,
        pick: Callable[[], AudioTrack | None],
        *,
        follows: bool = False,
    ) -> int:
        if req.audio_filter_module_id:
            raise RefusedError(
                f"the audio filter {req.audio_filter_module_id} is a native plugin, which the "
                "virtual room does not run"
            )
        handle = self._ffi.handle()
        rate_hz = req.sample_rate or _DEFAULT_RATE_HZ
        samples = rate_hz * (req.frame_size_ms or _DEFAULT_FRAME_MS) // 1000
        self._streams[handle] = Stream(
            pick,
            follows=follows,
            rate_hz=rate_hz,
            channels=req.num_channels or 1,
            frame_samples=samples,
        )
        self._ffi.own(handle, lambda: self._streams.pop(handle).end())
        return handle
