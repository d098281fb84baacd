"""Rooms in virtual time for the tests here: everybody connects with a token, as in life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
from livekit import api, rtc
from livekit.rtc import audio_source
from numpy.typing import NDArray

from lkgate.harness import room as virtual
from lkgate.harness.room import Hub, Link, source
from lkgate.harness.time import Clock, run

T = TypeVar("T")

ROOM = "clinic"
LINK = Link()


def in_room(main: Callable[[Hub], Coroutine[Any, Any, T]], *, link: Link = LINK) -> T:
    """Run ``main`` with an empty virtual room, in virtual time."""
    clock = Clock(started_at_unix_us=1_700_000_000_000_000)
    ffi = virtual.install()

    async def body() -> T:
        # The process keeps its real clock here; this one class looks at it.
        virtual_clock: Any = SimpleNamespace(monotonic=now)
        for module in (audio_source, source):
            module.time = virtual_clock  # type: ignore[attr-defined]
        hub = virtual.open_room(ffi, room=ROOM, link=link)
        return await main(hub)

    return run(body, clock=clock, horizon_us=3_600_000_000)


def token(identity: str, *, kind: str = "standard", hidden: bool = False, **more: Any) -> str:
    grants = api.VideoGrants(
        room_join=True, room=ROOM, hidden=hidden, agent=kind == "agent" or None
    )
    made = api.AccessToken("key", "secret" * 8).with_identity(identity).with_grants(grants)
    made = made.with_kind(kind)  # type: ignore[arg-type]
    if "attributes" in more:
        made = made.with_attributes(more["attributes"])
    return made.to_jwt()


async def join(identity: str, **more: Any) -> rtc.Room:
    room = rtc.Room()
    await room.connect("ws://virtual", token(identity, **more))
    return room


async def publish(
    room: rtc.Room, *, rate: int = 24_000, queue_ms: int = 1000, name: str = "mic"
) -> tuple[rtc.AudioSource, rtc.LocalTrackPublication]:
    source = rtc.AudioSource(rate, 1, queue_size_ms=queue_ms)
    track = rtc.LocalAudioTrack.create_audio_track(name, source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    return source, await room.local_participant.publish_track(track, options)


async def until(room: rtc.Room, event: str) -> tuple[Any, ...]:
    """The next event of this name."""
    future: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()

    def arrived(*args: Any) -> None:
        if not future.done():
            future.set_result(args)

    room.once(event, arrived)  # type: ignore[arg-type]
    return await future


def frame(pcm: NDArray[np.int16], rate: int = 24_000) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm.tobytes(), rate, 1, pcm.size)


def noise(count: int, seed: int = 1) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-9000, 9000, count).astype(np.int16)


def now() -> float:
    return asyncio.get_running_loop().time()


def spawning(read: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A stream handler that reads in a task of its own."""

    def handler(reader: Any, identity: str) -> None:
        _reading.add(asyncio.ensure_future(read(reader, identity)))

    return handler


_reading: set[asyncio.Future[None]] = set()
