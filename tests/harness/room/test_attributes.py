"""Attributes come in one order, in every process."""

from __future__ import annotations

import asyncio

from livekit import rtc

from lkgate.harness.room import Hub
from tests.harness.room.people import in_room, join

NAMES = [f"name.{number}" for number in range(12)]


def test_of_participants() -> None:
    async def main(hub: Hub) -> None:
        caller = await join("caller", attributes=dict.fromkeys(reversed(NAMES), "x"))
        agent = await join("agent", kind="agent")
        assert list(caller.local_participant.attributes) == sorted(NAMES)
        assert list(agent.remote_participants["caller"].attributes) == sorted(NAMES)

    in_room(main)


def test_of_streams() -> None:
    async def main(hub: Hub) -> None:
        caller, agent = await join("caller"), await join("agent", kind="agent")
        seen: asyncio.Queue[list[str]] = asyncio.Queue()

        def opened(reader: rtc.TextStreamReader | rtc.ByteStreamReader, identity: str) -> None:
            seen.put_nowait(list(reader.info.attributes or {}))

        caller.register_text_stream_handler("t", opened)
        caller.register_byte_stream_handler("b", opened)
        unsorted = dict.fromkeys(reversed(NAMES), "x")
        sent = await agent.local_participant.send_text("hello", topic="t", attributes=unsorted)
        assert list(sent.attributes or {}) == sorted(NAMES)
        writer = await agent.local_participant.stream_bytes("file", topic="b", attributes=unsorted)
        await writer.aclose()
        assert [await seen.get(), await seen.get()] == [sorted(NAMES)] * 2

    in_room(main)
