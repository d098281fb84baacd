"""The caller of a plan on a real server, and its recording as a plan again."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

from lkgate.bundle import Journal, close_journal, read_pcm
from lkgate.caller import CallerPlayer
from lkgate.caller.script import Line, after_agent, after_caller, build, into_agent, room_tone
from lkgate.capture import RoleOf, RoomCapture
from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan
from lkgate.replay.plan import caller_track, plan_from
from tests.live.conftest import LiveServer, async_until
from tests.live.people import RATE, Person, token

# Calls over rooms are made by the same player (test_rooms).
pytestmark = [pytest.mark.live, pytest.mark.soak, pytest.mark.timeout(120)]

SCRIPT = [after_agent(700), after_caller(600), into_agent(300), after_agent(900)]


def plan() -> tuple[CallerPlan, np.ndarray[tuple[int], np.dtype[np.int16]]]:
    tone = (9_000 * np.sin(2 * np.pi * 300 * np.arange(RATE // 2) / RATE)).astype(np.int16)
    lines = [Line(tone, anchor) for anchor in SCRIPT]
    bed = room_tone(RATE, level_dbfs=-65)
    return build(lines, sample_rate_hz=RATE, bed=bed, hangup_after_ms=800, closing_segments=0)


def test_a_call_is_recorded_as_it_was_planned(live_server: LiveServer, tmp_path: Path) -> None:
    credentials = live_server.credentials
    name = f"ward-{uuid.uuid4().hex[:8]}"
    agent = Person(credentials, name, "bot", "agent", bursts=(3.0, 7.0, 9.5))
    began_ns = time.monotonic_ns()
    header: dict[str, Json] = {"id": "call", "source": "record", "room": name}
    journal = Journal.create(tmp_path / "call", header=header)
    planned, pcm = plan()
    notes: list[tuple[str, Mapping[str, Json]]] = []

    def now_us() -> int:
        return (time.monotonic_ns() - began_ns) // 1_000

    async def call() -> str:
        ear, mouth = rtc.Room(), rtc.Room()
        capture = RoomCapture(ear, journal, now_us=now_us, roles=RoleOf("ann"))
        await ear.connect(credentials.url, token(credentials, name, "recorder"))
        capture.start()
        await mouth.connect(credentials.url, token(credentials, name, "ann"))
        talk = asyncio.create_task(agent.play(16))
        player = CallerPlayer(
            mouth,
            planned,
            pcm,
            note=lambda kind, data: notes.append((kind, data)),
            now_us=now_us,
            cushion_ms=50,
        )
        reason = await player.run()
        await async_until(lambda: not ear.remote_participants.get("ann"), 20)
        await capture.aclose()
        await ear.disconnect()
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        return reason

    assert asyncio.run(asyncio.wait_for(call(), 90)) == "hung_up"
    journal.finish(duration_us=now_us())
    recorded = close_journal(tmp_path / "call", tmp_path / "out")
    heard = plan_from(recorded, read_pcm(tmp_path / "out", caller_track(recorded)))

    found = [said.anchor for said in heard.utterances]
    assert [(one.kind, one.agent_segments) for one in found] == [
        (one.kind, one.agent_segments) for one in SCRIPT
    ]
    for one, wanted in zip(found, SCRIPT, strict=True):
        assert abs(one.delay_us - wanted.delay_us) <= 300_000
    assert [kind for kind, _ in notes].count("lkgate.caller_utterance") == 2 * len(SCRIPT)
    assert notes[-1][0] == "lkgate.caller_hangup"
