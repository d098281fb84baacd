"""Who sees whom, and when."""

from __future__ import annotations

import asyncio

from livekit import rtc

from lkgate.harness.room import Hub
from tests.harness.room.people import in_room, join, now, until


def test_those_who_are_there_are_listed_and_those_who_come_are_announced() -> None:
    async def main(hub: Hub) -> None:
        caller = await join("caller", kind="sip", attributes={"sip.phoneNumber": "+1"})
        began = now()
        coming = asyncio.create_task(until(caller, "participant_active"))
        agent = await join("agent", kind="agent")
        assert 0.099 < now() - began < 0.101
        (seen,) = await coming
        assert 0.144 < now() - began < 0.146
        assert seen.identity == "agent"
        assert seen.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        (known,) = agent.remote_participants.values()
        assert (known.identity, known.attributes) == ("caller", {"sip.phoneNumber": "+1"})
        assert known.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        assert agent.name == "clinic" and await agent.sid == "RM_lkgate"
        assert agent.isconnected()
        leaving = asyncio.create_task(until(agent, "participant_disconnected"))
        await caller.disconnect()
        assert not caller.isconnected()
        (left,) = await leaving
        assert left.disconnect_reason == rtc.DisconnectReason.CLIENT_INITIATED
        assert agent.remote_participants == {}

    in_room(main)


def test_a_hidden_participant_sees_and_is_not_seen() -> None:
    async def main(hub: Hub) -> None:
        agent = await join("agent", kind="agent")
        recorder = await join("recorder", kind="egress", hidden=True)
        caller = await join("caller")
        await asyncio.sleep(1)
        assert list(agent.remote_participants) == ["caller"]
        assert list(caller.remote_participants) == ["agent"]
        assert sorted(recorder.remote_participants) == ["agent", "caller"]

    in_room(main)


def test_attributes_metadata_and_name_reach_everybody() -> None:
    async def main(hub: Hub) -> None:
        agent = await join("agent", kind="agent")
        caller = await join("caller")
        await asyncio.sleep(0.1)
        told = asyncio.create_task(until(caller, "participant_attributes_changed"))
        await agent.local_participant.set_attributes({"lk.agent.state": "listening", "a": "1"})
        changed, who = await told
        assert changed == {"lk.agent.state": "listening", "a": "1"}
        await agent.local_participant.set_attributes({"a": "", "b": "2"})
        await agent.local_participant.set_metadata("m")
        await agent.local_participant.set_name("Ann")
        await asyncio.sleep(0.1)
        assert who.attributes == {"lk.agent.state": "listening", "b": "2"}
        assert (who.metadata, who.name) == ("m", "Ann")
        assert agent.local_participant.attributes == who.attributes
        assert agent.local_participant.metadata == "m"

    in_room(main)


def test_a_deleted_room_puts_everybody_out() -> None:
    async def main(hub: Hub) -> None:
        agent = await join("agent", kind="agent")
        recorder = await join("recorder", kind="egress", hidden=True)
        out = asyncio.create_task(until(agent, "disconnected"))
        seen = asyncio.create_task(until(recorder, "participant_disconnected"))
        await asyncio.sleep(0)
        hub.close(rtc.DisconnectReason.ROOM_DELETED)
        assert await out == (rtc.DisconnectReason.ROOM_DELETED,)
        assert not agent.isconnected()
        ((left,), _) = await asyncio.gather(seen, asyncio.sleep(0))
        assert left.identity == "agent"
        assert recorder.isconnected()
        await agent.disconnect()

    in_room(main)


def test_a_wrong_token_and_another_room_are_refused() -> None:
    async def main(hub: Hub) -> list[str]:
        errors = []
        for made in ("nonsense", ""):
            try:
                await rtc.Room().connect("ws://virtual", made)
            except rtc.ConnectError as error:
                errors.append(error.message)
        return errors

    errors = in_room(main)
    assert errors == ["engine: signal failure: 401 this is no access token to a room"] * 2


def test_the_same_identity_again_takes_the_first_ones_place() -> None:
    async def main(hub: Hub) -> None:
        first = await join("caller")
        out = asyncio.create_task(until(first, "disconnected"))
        second = await join("caller")
        assert await out == (rtc.DisconnectReason.DUPLICATE_IDENTITY,)
        assert second.isconnected()

    in_room(main)


def test_stats_are_empty_and_do_not_fail() -> None:
    async def main(hub: Hub) -> None:
        agent = await join("agent", kind="agent")
        stats = await agent.get_rtc_stats()
        assert (stats.publisher_stats, stats.subscriber_stats) == ([], [])

    in_room(main)
