"""Video, processors and native processing."""

from __future__ import annotations

import asyncio

import numpy as np
from livekit import rtc

from lkgate.harness.room import Hub
from tests.harness.room.people import frame, in_room, join, noise, now, publish, until


def test_video_is_published_and_seen_by_name() -> None:
    async def main(hub: Hub) -> tuple[str, int]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        seen = asyncio.create_task(until(caller, "track_subscribed"))
        source = rtc.VideoSource(16, 16)
        track = rtc.LocalVideoTrack.create_video_track("face", source)
        await agent.local_participant.publish_track(track)
        source.capture_frame(rtc.VideoFrame(16, 16, rtc.VideoBufferType.RGBA, bytes(16 * 16 * 4)))
        subscribed, publication, _ = await seen
        stream = rtc.VideoStream(subscribed)
        await stream.aclose()
        return publication.name, publication.kind

    assert in_room(main) == ("face", rtc.TrackKind.KIND_VIDEO)


class Halver(rtc.FrameProcessor[rtc.AudioFrame]):
    closed = False

    @property
    def enabled(self) -> bool:
        return True

    @enabled.setter
    def enabled(self, value: bool) -> None: ...

    def _process(self, frame: rtc.AudioFrame) -> rtc.AudioFrame:
        half = np.frombuffer(frame.data, np.int16) // 2
        return rtc.AudioFrame(half.tobytes(), frame.sample_rate, 1, half.size)

    def _close(self) -> None:
        self.closed = True


def test_a_frame_processor_sees_every_frame() -> None:
    pcm = noise(24_000)

    async def main(hub: Hub) -> bool:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        coming = asyncio.create_task(until(agent, "track_subscribed"))
        source, _ = await publish(caller)
        processor = Halver()
        stream = rtc.AudioStream(
            (await coming)[0], sample_rate=24_000, frame_size_ms=50, noise_cancellation=processor
        )
        await source.capture_frame(frame(pcm))
        heard: list[np.ndarray] = []
        end = now() + 1.2
        async for event in stream:
            heard.append(np.frombuffer(event.frame.data, np.int16))
            if now() >= end:
                break
        await stream.aclose()
        joined = np.concatenate(heard)
        begin = np.flatnonzero(joined)[0]
        assert np.array_equal(joined[begin : begin + 20_000], (pcm // 2)[:20_000])
        return processor.closed

    assert in_room(main)


def test_audio_processing_goes_to_the_native_library() -> None:
    async def main(hub: Hub) -> bool:
        processing = rtc.AudioProcessingModule(auto_gain_control=True)
        quiet = frame(noise(240) // 100)
        processing.process_stream(quiet)
        return len(quiet.data) == 240

    assert in_room(main)
