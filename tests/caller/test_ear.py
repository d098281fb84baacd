"""What a caller hears of agents that come, go, and publish more than one track."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from lkgate.caller.ear import Ear
from lkgate.caller.heard import Heard
from tests.caller.fake_rtc import LINK_US, FakeRoom, FakeTrack, install, run_virtually

S = 1_000_000


@pytest.fixture(autouse=True)
def fake_rtc(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def publish(room: FakeRoom, sid: str, name: str, spans: list[tuple[int, int]]) -> tuple[Any, ...]:
    """A further track of the agent's."""
    track = FakeTrack(spans, room.now_us)
    publication = SimpleNamespace(
        sid=sid, name=name, kind=rtc.TrackKind.KIND_AUDIO, track=track, source=0
    )
    published = (track, publication, room.remote_participants["agent"])
    room.emit("track_subscribed", *published)
    return published


def spans(heard: Heard) -> list[tuple[float, float | None]]:
    """Stretches in seconds at the agent, to the tenth."""

    def tenth(t_us: int | None) -> float | None:
        return None if t_us is None else round((t_us - LINK_US) / S, 1)

    return [(tenth(one.start_us) or 0.0, tenth(one.stop_us)) for one in heard.stretches]


def test_an_agent_who_was_there_before_is_heard() -> None:
    async def listen() -> Heard:
        room = FakeRoom([(1 * S, 2 * S)])
        room.agent_joins()
        ear = Ear(cast(rtc.Room, room), room.now_us)
        ear.start()
        await asyncio.sleep(3)
        await ear.aclose()
        assert room.handlers == 0
        return ear.heard

    heard = run_virtually(listen())
    assert heard.agent_seen and heard.state == "listening" and heard.room_us == 0
    assert spans(heard) == [(1.0, 2.0)]


def test_two_tracks_are_one_voice_and_background_audio_is_none() -> None:
    async def listen() -> Heard:
        room = FakeRoom([(1 * S, 3 * S), (6 * S, 7 * S)])
        ear = Ear(cast(rtc.Room, room), room.now_us)
        ear.start()
        room.agent_joins()
        publish(room, "TR_2", "second", [(2 * S, 4 * S)])
        publish(room, "TR_3", "background_audio", [(0, 100 * S)])
        await asyncio.sleep(8)
        await ear.aclose()
        return ear.heard

    assert spans(run_virtually(listen())) == [(1.0, 4.0), (6.0, 7.0)]


def test_a_track_that_ends_while_it_sounds_ends_the_stretch() -> None:
    async def listen() -> Heard:
        room = FakeRoom([])
        ear = Ear(cast(rtc.Room, room), room.now_us)
        ear.start()
        room.agent_joins()
        published = publish(room, "TR_2", "second", [(1 * S, 100 * S)])
        await asyncio.sleep(2.52)
        room.emit("track_unsubscribed", *published)
        await asyncio.sleep(1)
        await ear.aclose()
        return ear.heard

    assert spans(run_virtually(listen())) == [(1.0, 2.5)]


def test_an_agent_that_listens_has_stopped_before_the_detector_is_sure() -> None:
    async def listen() -> list[int | None]:
        room = FakeRoom([(1 * S, 2 * S)])
        ear = Ear(cast(rtc.Room, room), room.now_us)
        ear.start()
        room.agent_joins()
        room.agent_state("speaking")
        await asyncio.sleep(2.22)
        (stretch,) = ear.heard.stretches
        ends = [stretch.stop_us, ear.heard.ended(stretch)]
        room.agent_state("listening")
        ends.append(ear.heard.ended(stretch))
        await ear.aclose()
        return ends

    sure, while_speaking, listening = run_virtually(listen())
    assert (sure, while_speaking) == (None, None)
    assert listening is not None and abs(listening - LINK_US - 2 * S) < 1000


def test_others_are_not_the_agent() -> None:
    async def listen() -> Heard:
        room = FakeRoom([(1 * S, 2 * S)])
        ear = Ear(cast(rtc.Room, room), room.now_us)
        ear.start()
        guest = SimpleNamespace(
            identity="guest",
            kind=rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
            attributes={"lk.agent.state": "speaking"},
        )
        publication = SimpleNamespace(sid="TR_9", name="mic", kind=rtc.TrackKind.KIND_AUDIO)
        room.emit("participant_connected", guest)
        room.emit("participant_attributes_changed", {"lk.agent.state": "speaking"}, guest)
        room.emit("track_subscribed", FakeTrack([(0, S)], room.now_us), publication, guest)
        await asyncio.sleep(3)
        await ear.aclose()
        return ear.heard

    assert run_virtually(listen()) == Heard()
