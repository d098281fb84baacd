"""Participants of a live room whose every sound is known."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from livekit import api, rtc

from lkgate.record import Credentials

RATE = 24_000
FRAME = 240  # 10 ms
BURST_SECONDS = 0.5
# What AudioSource keeps before it is sent: as little as it takes.
QUEUE_MS = 50

Kind = Literal["standard", "agent"]


def token(credentials: Credentials, room: str, identity: str, kind: Kind = "standard") -> str:
    """A token as any caller's or agent's, made with livekit-api."""
    return (
        api.AccessToken(credentials.key, credentials.secret)
        .with_identity(identity)
        .with_kind(kind)
        .with_grants(api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True))
        .to_jwt()
    )


@dataclass
class Person:
    """Joins a room, is silent, and sounds a tone at each of ``bursts`` (seconds from joining).

    Attributes:
        onsets: unix nanoseconds at which each burst's first sample was due at the sender.
        seen: identities of everybody that this participant ever saw.
    """

    credentials: Credentials
    room_name: str
    identity: str
    kind: Kind
    bursts: tuple[float, ...] = ()
    onsets: list[int] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    room: rtc.Room | None = None

    async def join(self) -> rtc.Room:
        self.room = rtc.Room()
        self.room.on("participant_connected", lambda who: self.seen.add(who.identity))
        jwt = token(self.credentials, self.room_name, self.identity, self.kind)
        await self.room.connect(self.credentials.url, jwt)
        self.seen.update(self.room.remote_participants)
        return self.room

    async def talk(self, seconds: float) -> None:
        """Publish a microphone for ``seconds``."""
        assert self.room is not None
        source = rtc.AudioSource(RATE, 1, queue_size_ms=QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track("mic", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await self.room.local_participant.publish_track(track, options)
        starts = [round(burst * RATE / FRAME) for burst in self.bursts]
        length = round(BURST_SECONDS * RATE / FRAME)
        tone = (12_000 * np.sin(2 * np.pi * 440 * np.arange(FRAME) / RATE)).astype(np.int16)
        silence = np.zeros(FRAME, np.int16)
        for number in range(round(seconds * RATE / FRAME)):
            loud = any(start <= number < start + length for start in starts)
            if number in starts:
                # What is queued before it is still to be played.
                queued_ns = int(source.queued_duration * 1e9)
                self.onsets.append(time.time_ns() + queued_ns)
            frame = rtc.AudioFrame((tone if loud else silence).tobytes(), RATE, 1, FRAME)
            await source.capture_frame(frame)
        await self.room.local_participant.unpublish_track(publication.sid)
        await source.aclose()

    async def leave(self) -> None:
        if self.room is not None:
            await self.room.disconnect()

    async def play(self, seconds: float) -> None:
        await self.join()
        try:
            await self.talk(seconds)
        finally:
            await self.leave()


async def call(*people: Person, seconds: float) -> None:
    """All of them in the room for ``seconds``, and then out."""
    await asyncio.gather(*(person.play(seconds) for person in people))
