"""A caller who says recorded sentences to a dispatched agent in a real room."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from livekit import rtc

from lkgate.bundle import Journal, close_journal, read, read_pcm
from lkgate.caller import CallerPlayer
from lkgate.caller.script import Line, build, room_tone
from lkgate.caller.voice import Pcm
from lkgate.capture import RoleOf, RoomCapture
from lkgate.model.bundle import Bundle
from lkgate.record import server as livekit_server
from tests.live.conftest import LiveServer, async_until
from tests.live.people import token

RECORDINGS = Path(__file__).parents[3] / "recordings"
RATE_HZ = 24_000
MARGIN_US = 150_000


def sentence(recording: str, number: int) -> Pcm:
    """The caller's ``number``-th stretch of speech in a recording of this repository."""
    bundle = read(RECORDINGS / recording)
    (track,) = bundle.tracks("caller")
    assert track.sample_rate_hz == RATE_HZ and track.speech is not None
    pcm = read_pcm(RECORDINGS / recording, track)
    span = track.speech[number]
    start, end = span.start_us - MARGIN_US, span.end_us + MARGIN_US
    first, last = ((at - track.offset_us) * RATE_HZ // 1_000_000 for at in (start, end))
    return pcm[first:last]


async def call(server: LiveServer, agent: str, lines: Sequence[Line], directory: Path) -> Bundle:
    """Dispatches ``agent``, says ``lines`` to it and hangs up; what was recorded meanwhile."""
    began_ns = time.monotonic_ns()

    def now_us() -> int:
        return (time.monotonic_ns() - began_ns) // 1_000

    name = f"ward-{uuid.uuid4().hex[:8]}"
    journal = Journal.create(directory, header={"id": agent, "source": "record", "room": name})
    ear, mouth = rtc.Room(), rtc.Room()
    plan, pcm = build(lines, sample_rate_hz=RATE_HZ, bed=room_tone(RATE_HZ, level_dbfs=-65))
    capture = RoomCapture(ear, journal, now_us=now_us, roles=RoleOf("ann"))
    async with livekit_server.connect(server.credentials) as control:
        await control.join(ear, name)
        capture.start()
        capture.overhear(mouth)
        await mouth.connect(server.credentials.url, token(server.credentials, name, "ann"))
        await control.dispatch(agent, name)
        player = CallerPlayer(
            mouth, plan, pcm, note=capture.note, now_us=now_us, cushion_ms=50, uplink_us=45_000
        )
        assert await player.run() == "hung_up"
        await async_until(lambda: "ann" not in ear.remote_participants, 20)
        await capture.aclose()
        await ear.disconnect()
    journal.finish(duration_us=now_us())
    return close_journal(directory, directory.with_name(f"{agent}-bundle"))
