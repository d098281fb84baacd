"""What is heard is what was played, when it was played."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray

from lkgate.harness.room import Hub
from tests.harness.room.people import frame, in_room, join, noise, now, publish, until


async def listen(stream: rtc.AudioStream, seconds: float) -> NDArray[np.int16]:
    frames = []
    end = now() + seconds
    async for event in stream:
        frames.append(np.frombuffer(event.frame.data, np.int16))
        if now() >= end - 1e-6:
            break
    await stream.aclose()
    return np.concatenate(frames)


async def subscribed(room: rtc.Room) -> rtc.RemoteAudioTrack:
    track = (await until(room, "track_subscribed"))[0]
    assert isinstance(track, rtc.RemoteAudioTrack)
    return track


@pytest.mark.parametrize("frame_ms", [10, 50, 100])
def test_the_same_rate_is_the_same_samples_one_latency_later(frame_ms: int) -> None:
    pcm = noise(24_000 * 3)

    async def main(hub: Hub) -> NDArray[np.int16]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        coming = asyncio.create_task(subscribed(agent))
        source, _ = await publish(caller)
        track = await coming
        stream = rtc.AudioStream(track, sample_rate=24_000, frame_size_ms=frame_ms)
        await source.capture_frame(frame(pcm))
        return await listen(stream, 3.5)

    heard = in_room(main)
    late = 24_000 * 45 // 1000
    assert not heard[:late].any()
    assert np.array_equal(heard[late : late + pcm.size], pcm)
    assert not heard[late + pcm.size :].any()


def test_frames_come_at_the_pace_of_the_clock() -> None:
    async def main(hub: Hub) -> list[float]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        coming = asyncio.create_task(subscribed(agent))
        await publish(caller)
        stream = rtc.AudioStream(await coming, sample_rate=16_000, frame_size_ms=20)
        began, times = now(), []
        async for event in stream:
            times.append(round(now() - began, 6))
            assert event.frame.samples_per_channel == 320
            if len(times) == 5:
                break
        await stream.aclose()
        return times

    assert in_room(main) == [0.02, 0.04, 0.06, 0.08, 0.1]


def test_capture_waits_for_room_in_the_queue_and_playout_ends_with_the_audio() -> None:
    async def main(hub: Hub) -> None:
        caller = await join("caller")
        source, _ = await publish(caller, queue_ms=200)
        began = now()
        for _ in range(4):
            await source.capture_frame(frame(noise(2400)))
        assert now() - began == pytest.approx(0.2, abs=1e-4)
        assert source.queued_duration == pytest.approx(0.2, abs=1e-3)
        await source.wait_for_playout()
        assert now() - began == pytest.approx(0.4, abs=1e-3)

    in_room(main)


def test_clearing_the_queue_silences_what_was_not_played() -> None:
    pcm = noise(24_000)

    async def main(hub: Hub) -> NDArray[np.int16]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        coming = asyncio.create_task(subscribed(agent))
        source, _ = await publish(caller)
        stream = rtc.AudioStream(await coming, sample_rate=24_000, frame_size_ms=10)
        hearing = asyncio.create_task(listen(stream, 1.5))
        await source.capture_frame(frame(pcm))
        await asyncio.sleep(0.5)
        source.clear_queue()
        await source.wait_for_playout()
        assert source.queued_duration == 0
        return await hearing

    heard = in_room(main)
    sounding = np.flatnonzero(heard)
    assert sounding[-1] - sounding[0] == pytest.approx(12_000, abs=24)


def test_a_capture_that_waits_is_released_by_clearing() -> None:
    async def main(hub: Hub) -> None:
        caller = await join("caller")
        source, _ = await publish(caller, queue_ms=100)
        began = now()
        waiting = asyncio.create_task(source.capture_frame(frame(noise(24_000))))
        await asyncio.sleep(0.2)
        source.clear_queue()
        await waiting
        assert now() - began == pytest.approx(0.2, abs=1e-4)

    in_room(main)


def test_muting_is_silence_and_is_seen() -> None:
    pcm = noise(24_000)

    async def main(hub: Hub) -> NDArray[np.int16]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        coming = asyncio.create_task(subscribed(agent))
        source = rtc.AudioSource(24_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("mic", source)
        await caller.local_participant.publish_track(track)
        stream = rtc.AudioStream(await coming, sample_rate=24_000, frame_size_ms=10)
        hearing = asyncio.create_task(listen(stream, 1.2))
        seen = asyncio.create_task(until(agent, "track_muted"))
        await source.capture_frame(frame(pcm))
        await asyncio.sleep(0.25)
        track.mute()
        assert (await seen)[1].muted
        await asyncio.sleep(0.205)
        track.unmute()
        return await hearing

    heard = in_room(main)
    late = 24_000 * 45 // 1000
    assert np.array_equal(heard[late : late + 6000], pcm[:6000])
    assert not heard[late + 6000 : late + 12_000].any()
    assert np.array_equal(heard[late + 12_000 : late + 24_000], pcm[12_000:])


def test_the_stream_ends_when_the_track_is_unpublished_or_its_owner_leaves() -> None:
    async def main(hub: Hub) -> list[int]:
        counts = []
        agent = await join("agent", kind="agent")
        for leaves in (False, True):
            caller = await join("caller")
            coming = asyncio.create_task(subscribed(agent))
            _, publication = await publish(caller)
            stream = rtc.AudioStream(await coming, sample_rate=24_000, frame_size_ms=100)

            async def count(stream: rtc.AudioStream = stream) -> int:
                return len([event async for event in stream])

            counting = asyncio.create_task(count())
            await asyncio.sleep(1.0)
            if leaves:
                await caller.disconnect()
            else:
                await caller.local_participant.unpublish_track(publication.sid)
            counts.append(await counting)
            await caller.disconnect()
            await asyncio.sleep(1)
        return counts

    assert in_room(main) == [10, 10]


def test_another_rate_and_two_channels_keep_the_tone_and_the_time() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)).astype(np.int16)

    async def main(hub: Hub) -> NDArray[np.int16]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        coming = asyncio.create_task(subscribed(agent))
        source, _ = await publish(caller)
        track = await coming
        stream = rtc.AudioStream.from_track(
            track=track, sample_rate=48_000, num_channels=2, frame_size_ms=10
        )
        await source.capture_frame(frame(tone))
        return await listen(stream, 1.5)

    heard = in_room(main).reshape(-1, 2)
    assert np.array_equal(heard[:, 0], heard[:, 1])
    loud = np.flatnonzero(np.abs(heard[:, 0]) > 1000)
    assert loud[0] / 48_000 == pytest.approx(0.045, abs=0.006)
    assert (loud[-1] - loud[0]) / 48_000 == pytest.approx(1.0, abs=0.002)
    spectrum = np.abs(np.fft.rfft(heard[loud[0] : loud[0] + 40_000, 0]))
    assert np.argmax(spectrum) * 48_000 / 40_000 == pytest.approx(440, abs=2)


def test_a_stream_of_a_participant_follows_his_microphone() -> None:
    pcm = noise(12_000)

    async def main(hub: Hub) -> NDArray[np.int16]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        await asyncio.sleep(0.1)
        stream = rtc.AudioStream.from_participant(
            participant=agent.remote_participants["caller"],
            track_source=rtc.TrackSource.SOURCE_MICROPHONE,
            sample_rate=24_000,
            frame_size_ms=50,
        )
        hearing = asyncio.create_task(listen(stream, 4))
        source, publication = await publish(caller)
        await asyncio.sleep(1)
        await source.capture_frame(frame(pcm))
        await asyncio.sleep(1)
        await caller.local_participant.unpublish_track(publication.sid)
        return await hearing

    heard = in_room(main)
    begin = np.flatnonzero(heard)[0]
    assert np.array_equal(heard[begin : begin + pcm.size], pcm)
    assert not heard[begin + pcm.size :].any()


def test_chunks_written_in_time_are_joined_without_a_seam() -> None:
    pcm = noise(24_000)

    async def main(hub: Hub) -> NDArray[np.int16]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        coming = asyncio.create_task(subscribed(agent))
        source, _ = await publish(caller)
        stream = rtc.AudioStream(await coming, sample_rate=24_000, frame_size_ms=100)
        hearing = asyncio.create_task(listen(stream, 1.5))
        began = now()
        for at in range(0, pcm.size, 1200):
            await asyncio.sleep(began + at / 24_000 + 0.003 * (at % 3600 == 0) - now())
            await source.capture_frame(frame(pcm[at : at + 1200]))
        return await hearing

    heard = in_room(main)
    begin = np.flatnonzero(heard)[0]
    assert np.array_equal(heard[begin : begin + pcm.size], pcm)


def test_livekit_s_resampler_gives_the_same_samples_every_time() -> None:
    def once() -> bytes:
        resampler = rtc.AudioResampler(48_000, 16_000, num_channels=1)
        out = b""
        for piece in np.array_split(noise(48_000, seed=3), 100):
            out += b"".join(bytes(f.data) for f in resampler.push(bytearray(piece.tobytes())))
        return out + b"".join(bytes(f.data) for f in resampler.flush())

    async def main(hub: Hub) -> tuple[bytes, bytes]:
        return once(), once()

    first, second = in_room(main)
    assert first == second
    assert len(first) == pytest.approx(2 * 16_000, abs=8)


def test_the_timeline_of_a_long_call_does_not_grow() -> None:
    async def main(hub: Hub) -> int:
        caller = await join("caller")
        source, publication = await publish(caller)
        for second in range(600):
            await source.capture_frame(frame(noise(24_000, seed=second % 5)))
        sound = hub._clients["caller"].publications[publication.sid].track.sound
        assert sound.timeline is not None
        return len(sound.timeline._blocks)

    assert in_room(main) < 8
