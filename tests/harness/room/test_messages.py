"""Data, streams and calls between participants."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import rtc

from lkgate.harness.room import Hub, RefusedError
from tests.harness.room.people import in_room, join, now, spawning, until


def collect_text(room: rtc.Room, topic: str, into: list[Any]) -> None:
    async def read(reader: rtc.TextStreamReader, identity: str) -> None:
        began = now()
        chunks = [chunk async for chunk in reader]
        into.append((identity, chunks, dict(reader.info.attributes or {}), round(now() - began, 3)))

    room.register_text_stream_handler(topic, spawning(read))


def test_a_text_stream_arrives_chunk_by_chunk_with_its_closing_attributes() -> None:
    async def main(hub: Hub) -> list[Any]:
        got: list[Any] = []
        agent, caller = await join("agent", kind="agent"), await join("caller")
        recorder = await join("recorder", kind="egress", hidden=True)
        collect_text(caller, "lk.transcription", got)
        collect_text(recorder, "lk.transcription", got)
        writer = await agent.local_participant.stream_text(
            topic="lk.transcription", attributes={"lk.segment_id": "SG_1"}
        )
        await writer.write("Good ")
        await asyncio.sleep(1)
        await writer.write("day.")
        await writer.aclose(attributes={"lk.transcription_final": "true"})
        await asyncio.sleep(1)
        return got

    attributes = {"lk.segment_id": "SG_1", "lk.transcription_final": "true"}
    assert in_room(main) == [("agent", ["Good ", "day."], attributes, 1.0)] * 2


def test_whole_texts_and_bytes_go_to_those_who_were_named() -> None:
    async def main(hub: Hub) -> tuple[list[Any], list[Any]]:
        texts: list[Any] = []
        data: list[Any] = []
        agent, caller = await join("agent", kind="agent"), await join("caller")
        other = await join("other")
        for room in (caller, other):
            collect_text(room, "lk.chat", texts)

        async def read(reader: rtc.ByteStreamReader, identity: str) -> None:
            data.append((reader.info.name, b"".join([chunk async for chunk in reader])))

        caller.register_byte_stream_handler("file", spawning(read))
        info = await agent.local_participant.send_text(
            "hello", topic="lk.chat", destination_identities=["other"]
        )
        assert info.size == 5
        await agent.local_participant.send_bytes(b"\0\1", topic="file", name="x.bin")
        await agent.local_participant.send_text("unheard", topic="nobody listens")
        writer = await agent.local_participant.stream_bytes("y.bin", topic="file")
        await writer.write(b"abc")
        await writer.aclose()
        await asyncio.sleep(1)
        return texts, data

    assert in_room(main) == (
        [("agent", ["hello"], {}, 0.0)],
        [("x.bin", b"\0\1"), ("y.bin", b"abc")],
    )


def test_a_stream_whose_sender_leaves_ends_with_an_error() -> None:
    async def main(hub: Hub) -> str:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        error: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def read(reader: rtc.TextStreamReader, identity: str) -> None:
            try:
                await reader.read_all()
            except rtc.StreamError as failure:
                error.set_result(failure.description)

        caller.register_text_stream_handler("t", spawning(read))
        writer = await agent.local_participant.stream_text(topic="t")
        await writer.write("I was")
        await asyncio.sleep(0.2)
        await agent.disconnect()
        return await error

    assert in_room(main) == "the sender dropped the stream"


def test_data_dtmf_and_transcriptions() -> None:
    async def main(hub: Hub) -> tuple[Any, ...]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        await asyncio.sleep(0.1)
        data = asyncio.create_task(until(caller, "data_received"))
        tone = asyncio.create_task(until(agent, "sip_dtmf_received"))
        words = asyncio.create_task(until(caller, "transcription_received"))
        await asyncio.sleep(0)
        began = now()
        await agent.local_participant.publish_data(b"payload", topic="t")
        await caller.local_participant.publish_dtmf(code=5, digit="5")
        segment = rtc.TranscriptionSegment("s", "hi", 0, 0, "en", True)
        await agent.local_participant.publish_transcription(
            rtc.Transcription("agent", "TR_1", [segment])
        )
        (packet,), (dtmf,), (segments, *_) = await data, await tone, await words
        assert now() - began == pytest.approx(0.045, abs=1e-4)
        assert packet.participant is not None
        return packet.data, packet.topic, packet.participant.identity, dtmf.digit, segments[0].text

    assert in_room(main) == (b"payload", "t", "agent", "5", "hi")


def test_calls_are_answered_refused_and_time_out() -> None:
    async def main(hub: Hub) -> list[Any]:
        agent, caller = await join("agent", kind="agent"), await join("caller")
        await asyncio.sleep(0.1)

        async def double(data: rtc.RpcInvocationData) -> str:
            await asyncio.sleep(0.5)
            return data.payload * 2

        async def slow(data: rtc.RpcInvocationData) -> str:
            await asyncio.sleep(60)
            return ""

        def bad(data: rtc.RpcInvocationData) -> str:
            raise rtc.RpcError(7, "no", "why")

        for handler in (double, slow, bad):
            caller.local_participant.register_rpc_method(handler.__name__, handler)

        async def call(to: str, method: str) -> tuple[Any, float]:
            began = now()
            try:
                got: Any = await agent.local_participant.perform_rpc(
                    destination_identity=to, method=method, payload="ab", response_timeout=5
                )
            except rtc.RpcError as error:
                got = error.code
            return got, round(now() - began, 2)

        return [
            await call("caller", "double"),
            await call("caller", "unknown"),
            await call("caller", "bad"),
            await call("caller", "slow"),
            await call("nobody", "double"),
        ]

    code = rtc.RpcError.ErrorCode
    assert in_room(main) == [
        ("abab", 0.59),
        (int(code.UNSUPPORTED_METHOD), 0.09),
        (7, 0.09),
        (int(code.RESPONSE_TIMEOUT), 5.0),
        (int(code.RECIPIENT_NOT_FOUND), 0.09),
    ]


def test_what_the_room_has_not_is_refused_by_name() -> None:
    async def main(hub: Hub) -> None:
        agent = await join("agent", kind="agent")
        with pytest.raises(RefusedError, match="the virtual room has no publish data track"):
            await agent.local_participant.publish_data_track(name="x")

    in_room(main)
