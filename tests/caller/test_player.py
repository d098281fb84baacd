"""The caller in a room, against an agent with a track of its own."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray

from lkgate.caller import CallerPlayer
from lkgate.caller.script import Line, after_agent, at_start, build, into_agent, room_tone
from lkgate.model.plan import CallerPlan
from tests.caller.fake_rtc import LINK_US, FakeRoom, FakeSource, install, run_virtually
from tests.caller.fakes import RATE, Notes

S = 1_000_000


@pytest.fixture(autouse=True)
def fake_rtc(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def script() -> tuple[CallerPlan, NDArray[np.int16]]:
    lines = [
        Line(np.full(RATE, 1000, np.int16), after_agent(700)),
        Line(np.full(2 * RATE, 2000, np.int16), into_agent(1200)),
    ]
    bed = room_tone(RATE, level_dbfs=-70)
    return build(lines, sample_rate_hz=RATE, bed=bed, closing_segments=1)


def heard_in_room() -> tuple[int, NDArray[np.int16]]:
    """The microphone as the room has it: session time of its first sample, and its samples."""
    (source,) = FakeSource.made
    first_us = round((source.captured[0][0] - 1000.0) * 1e6) + LINK_US
    return first_us, np.concatenate([pcm for _, pcm in source.captured])


def test_a_call() -> None:
    plan, pcm = script()
    notes = Notes()

    async def call() -> tuple[str, FakeRoom]:
        # The room hears the greeting to 3 s, the caller's line, an answer that is interrupted,
        # and a last answer.
        room = FakeRoom([(1 * S, 3 * S), (6 * S, 8 * S), (11 * S, 12 * S)])
        player = CallerPlayer(cast(rtc.Room, room), plan, pcm, note=notes, now_us=room.now_us)
        room.agent_joins()
        return await player.run(), room

    reason, room = run_virtually(call())
    assert reason == "hung_up"
    assert room.disconnected and room.handlers == 0
    assert room.published[0][1] == rtc.TrackSource.SOURCE_MICROPHONE
    starts = [n for n in notes.of("lkgate.caller_utterance") if n["phase"] == "start"]
    assert [(n["anchor"], n["late_us"]) for n in starts] == [("after_agent", 0), ("into_agent", 0)]
    # The ear hears the agent LINK_US late, and the detector steps by 10 ms.
    expected = [3 * S + LINK_US + 700_000, 6 * S + LINK_US + 1_200_000]
    for note, at_us in zip(starts, expected, strict=True):
        assert abs(cast(int, note["at_us"]) - at_us) <= 10_000
    first_us, said = heard_in_room()
    for note, level in zip(starts, (1000, 2000), strict=True):
        sample = (cast(int, note["at_us"]) - first_us) * RATE // S
        assert said[sample + 1] > level - 100 and abs(said[sample - 1]) < 100
    (left,) = notes.of("lkgate.caller_hangup")
    assert left["reason"] == "everything was said"
    assert abs(cast(int, left["at_us"]) - (12 * S + LINK_US + 1_500_000)) <= 10_000


def test_audio_never_stops_and_keeps_the_loops_pace() -> None:
    plan, pcm = script()

    async def call() -> None:
        room = FakeRoom([(1 * S, 3 * S), (6 * S, 8 * S), (11 * S, 12 * S)])
        room.agent_joins()
        await CallerPlayer(cast(rtc.Room, room), plan, pcm, note=Notes(), now_us=room.now_us).run()

    run_virtually(call())
    (source,) = FakeSource.made
    began = source.captured[0][0]
    for number, (at, chunk) in enumerate(source.captured):
        assert chunk.size == RATE // 20
        assert at - began == pytest.approx(number * 0.05, abs=1e-4)


def test_a_caller_who_speaks_first_waits_until_somebody_hears_it() -> None:
    line = Line(np.full(RATE, 1000, np.int16), at_start(200))
    plan, pcm = build([line], sample_rate_hz=RATE, closing_segments=0)
    notes = Notes()

    async def call() -> None:
        room = FakeRoom([])
        room.agent_joins()
        asyncio.get_running_loop().call_later(0.35, room.emit, "local_track_subscribed", None)
        asyncio.get_running_loop().call_later(0.90, room.emit, "local_track_subscribed", None)
        await CallerPlayer(cast(rtc.Room, room), plan, pcm, note=notes, now_us=room.now_us).run()

    run_virtually(call())
    assert notes.of("lkgate.caller_utterance")[0]["at_us"] == 550_000


def test_a_busy_agent_is_not_answered() -> None:
    plan, pcm = script()
    notes = Notes()

    async def call() -> None:
        room = FakeRoom([(1 * S, 3 * S), (6 * S, 7 * S), (9 * S, 20 * S)])
        room.agent_joins()
        loop = asyncio.get_running_loop()
        loop.call_later(3, room.agent_state, "thinking")
        loop.call_later(7.2, room.agent_state, "listening")
        await CallerPlayer(cast(rtc.Room, room), plan, pcm, note=notes, now_us=room.now_us).run()

    run_virtually(call())
    first = notes.of("lkgate.caller_utterance")[0]
    assert abs(cast(int, first["at_us"]) - (7 * S + LINK_US + 700_000)) <= 10_000


def test_an_agent_that_leaves_ends_the_call() -> None:
    plan, pcm = script()

    async def call() -> tuple[str, int, FakeRoom]:
        room = FakeRoom([(1 * S, 3 * S)])
        room.agent_joins()
        asyncio.get_running_loop().call_later(2, room.agent_leaves)
        player = CallerPlayer(cast(rtc.Room, room), plan, pcm, note=Notes(), now_us=room.now_us)
        return await player.run(), room.now_us(), room

    reason, ended_us, room = run_virtually(call())
    assert reason == "agent_left" and room.disconnected
    assert 2 * S <= ended_us <= 2 * S + 50_000


def test_an_agent_that_ends_the_call_when_all_was_said_is_no_failure() -> None:
    plan, pcm = script()
    notes = Notes()

    async def call() -> str:
        room = FakeRoom([(1 * S, 3 * S), (6 * S, 8 * S), (11 * S, 12 * S)])
        room.agent_joins()
        asyncio.get_running_loop().call_later(12.5, room.agent_leaves)
        player = CallerPlayer(cast(rtc.Room, room), plan, pcm, note=notes, now_us=room.now_us)
        return await player.run()

    assert run_virtually(call()) == "agent_left"
    assert [note["reason"] for note in notes.of("lkgate.caller_hangup")] == ["agent_left"]
    assert notes.of("lkgate.caller_cut_off") == []


def test_a_room_that_closes_ends_the_call() -> None:
    plan, pcm = script()

    async def call() -> str:
        room = FakeRoom([])
        asyncio.get_running_loop().call_later(1, room.emit, "disconnected", "ROOM_DELETED")
        return await CallerPlayer(
            cast(rtc.Room, room), plan, pcm, note=Notes(), now_us=room.now_us
        ).run()

    assert run_virtually(call()) == "room_closed"


def test_a_room_without_an_agent_is_left() -> None:
    plan, pcm = script()
    notes = Notes()

    async def call() -> str:
        room = FakeRoom([])
        player = CallerPlayer(cast(rtc.Room, room), plan, pcm, note=notes, now_us=room.now_us)
        return await player.run()

    assert run_virtually(call()) == "no_agent"
    assert notes.items == [("lkgate.caller_cut_off", {"reason": "no_agent", "said": 0})]


def test_a_loop_that_stood_still_does_not_leave_a_backlog() -> None:
    plan, pcm = script()

    async def call() -> FakeRoom:
        room = FakeRoom([(1 * S, 3 * S), (6 * S, 8 * S), (11 * S, 12 * S)])
        room.agent_joins()
        stalled = {"us": 0}

        def now_us() -> int:
            # A loop that stands still sees its clock jump.
            if room.now_us() > 4_200_000 and not stalled["us"]:
                stalled["us"] = 400_000
            return room.now_us() + stalled["us"]

        player = CallerPlayer(
            cast(rtc.Room, room), plan, pcm, note=Notes(), now_us=now_us, cushion_ms=50
        )
        await player.run()
        return room

    run_virtually(call())
    (source,) = FakeSource.made
    assert source.captured[0][1].size == RATE // 20 and not source.captured[0][1].any()
    times = [at for at, _ in source.captured[1:]]
    at_once = [b for a, b in pairwise(times) if b - a < 0.001]
    assert len(at_once) == 2  # the late chunk, and the cushion again
