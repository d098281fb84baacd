"""A server that hangs holds up nobody for long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from lkgate.errors import RecordError
from lkgate.record import CallLog, RecordOptions, WatchOptions, record_room, watch_rooms
from lkgate.record import server as module
from lkgate.record.server import Server, connect
from lkgate.record.stop import StoppedError
from lkgate.secret import Secrets
from tests.record.silence import silent_server


def run(play: Awaitable[None]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(play, 30)

    asyncio.run(bounded())


ASKS: dict[str, Callable[[Server], Awaitable[Any]]] = {
    "rooms": lambda server: server.rooms(),
    "room_exists": lambda server: server.room_exists("ward"),
    "participants": lambda server: server.participants("ward"),
    "create_room": lambda server: server.create_room("ward"),
    "dispatch": lambda server: server.dispatch("clinic", "ward"),
    "dispatches": lambda server: server.dispatches("ward"),
}


def test_every_question_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.2)

    async def play() -> None:
        async with silent_server() as credentials:
            client = api.LiveKitAPI(credentials.url, credentials.key, credentials.secret)
            server = Server(credentials, client, module.TOKEN_LIFE)
            for name, ask in ASKS.items():
                with pytest.raises(RecordError) as caught:
                    await ask(server)
                assert caught.value.what == "the server does not answer in time", name
            # Nothing that would have to be told.
            await server.delete_room("ward")
            await server.end_dispatches("clinic", "ward")
            with pytest.raises(RecordError, match="does not answer in time"):
                async with connect(credentials):
                    pass
            await client.aclose()

    run(play())


def test_a_recording_can_be_stopped_while_the_server_hangs(tmp_path: Path) -> None:
    async def play() -> None:
        async with silent_server() as credentials:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(0.3, stop.set)
            with pytest.raises(StoppedError):
                await record_room(RecordOptions("ward", tmp_path / "c", credentials), stop=stop)
        assert list(tmp_path.iterdir()) == []

    run(play())


def test_a_watch_can_be_stopped_while_the_server_hangs(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    log = CallLog(
        lambda line: lines.append(json.loads(line)), now_unix_us=lambda: 0, secrets=Secrets()
    )

    async def play() -> None:
        async with silent_server() as credentials:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(0.3, stop.set)
            options = WatchOptions(("*",), RecordOptions("", tmp_path / "calls", credentials))
            assert await watch_rooms(options, log=log, made=lambda _: None, stop=stop) == 0

    run(play())
