"""What a reconnection of the recorder leaves in a capture."""

from __future__ import annotations

import asyncio
import time
import uuid
from pathlib import Path

import pytest
from livekit import rtc

from lkgate.bundle import Journal, close_journal
from lkgate.capture import RoomCapture
from tests.live.conftest import LiveServer, async_until
from tests.live.people import Person, call, token

pytestmark = [pytest.mark.live, pytest.mark.soak, pytest.mark.timeout(120)]


def test_a_full_reconnect_leaves_one_track_with_a_gap(
    live_server: LiveServer, tmp_path: Path
) -> None:
    credentials = live_server.credentials
    name = f"ward-{uuid.uuid4().hex[:8]}"
    caller = Person(credentials, name, "ann", "standard", bursts=(1.0, 9.0))
    started_us = time.time_ns() // 1_000
    journal = Journal.create(
        tmp_path / "call", header={"id": "call", "source": "record", "room": name}
    )

    async def play() -> None:
        room = rtc.Room()
        capture = RoomCapture(room, journal, now_us=lambda: time.time_ns() // 1_000 - started_us)
        capture.start()
        await room.connect(credentials.url, token(credentials, name, "recorder"))
        capture.start()
        talk = asyncio.create_task(call(caller, seconds=10.5))
        await async_until(lambda: bool(caller.onsets), 20)
        await asyncio.sleep(1.5)
        await room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        await talk
        await asyncio.sleep(0.5)
        await capture.aclose()
        await room.disconnect()

    asyncio.run(asyncio.wait_for(play(), 90))
    journal.finish(duration_us=time.time_ns() // 1_000 - started_us)
    bundle = close_journal(tmp_path / "call", tmp_path / "out")

    kinds = [event.kind for event in bundle.events]
    assert kinds.count("reconnecting") == kinds.count("reconnected") >= 1
    (track,) = bundle.manifest.tracks
    gaps = [event.data for event in bundle.of_kind("lkgate.gap")]
    of = {(gap["track"], gap["cause"]) for gap in gaps} - {("caller", "late"), ("caller", "loss")}
    assert of == {("caller", "reconnection")}
    # The tone after the gap lies where it was sounded.
    assert len(caller.onsets) == len(track.speech) == 2, track.speech
    for sent_ns, speech in zip(caller.onsets, track.speech, strict=True):
        assert abs(speech.start_us - (sent_ns // 1_000 - started_us)) <= 300_000
