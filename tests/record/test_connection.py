"""The recorder's connection to a server that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from livekit import api, rtc

from lkgate.bundle import Journal
from lkgate.capture import RoleOf, RoomCapture
from lkgate.errors import ConfigError
from lkgate.record import Credentials, RecordOptions, connection, record_room, recover
from lkgate.record import server as module
from lkgate.record.clock import SYSTEM
from lkgate.record.connection import Connection
from lkgate.record.recording import Recording
from lkgate.record.server import Server
from lkgate.record.stop import StoppedError
from lkgate.secret import Secrets
from tests.record.silence import silent_server


class FakeRoom(rtc.Room):
    """Says goodbye to a server that does not answer."""

    async def disconnect(self, **_: object) -> None:
        await asyncio.Event().wait()


def test_a_goodbye_that_is_not_answered_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_GOODBYE_SECONDS", 0.1)

    async def play() -> None:
        room = FakeRoom()
        journal = Journal.create(tmp_path, header={"id": "a", "source": "record"})
        capture = RoomCapture(room, journal, now_us=lambda: 0, roles=RoleOf(), started_at_unix_us=0)
        await Connection(room, "ward", capture, now_us=lambda: 0).leave()

    asyncio.run(asyncio.wait_for(play(), 20))


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each time that a journal was synced or a recording finished: on the main thread?"""
    found: list[bool] = []

    def watched(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: object) -> object:
            found.append(threading.current_thread() is threading.main_thread())
            return real(*args)

        monkeypatch.setattr(owner, name, call)

    watched(Journal, "sync")
    watched(Recording, "finish")
    return found


def test_the_end_of_a_recording_holds_up_no_other(
    tmp_path: Path, threads: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    class FakeServer:
        async def wait_for_room(self, *_: object) -> None: ...
        async def refuse_second(self, *_: object) -> None: ...

    @asynccontextmanager
    async def connect(_: Credentials) -> AsyncIterator[FakeServer]:
        yield FakeServer()

    async def run(*_: object) -> str:
        with pytest.raises(ConfigError, match="is being recorded by another process"):
            recover(tmp_path / "call.unfinished")
        return "caller_left"

    monkeypatch.setattr(module, "connect", connect)
    monkeypatch.setattr(Recording, "run", run)
    options = RecordOptions("ward", tmp_path / "call", Credentials("ws://x", "key", "secret"))
    assert asyncio.run(record_room(options)) == tmp_path / "call"
    assert threads == [False, False]


def test_joining_can_be_stopped(tmp_path: Path, threads: list[bool]) -> None:
    async def play() -> None:
        stop = asyncio.Event()
        async with silent_server() as credentials:
            client = api.LiveKitAPI(credentials.url, credentials.key, credentials.secret)
            recording = Recording(
                RecordOptions("ward", tmp_path / "call", credentials),
                tmp_path / "call.unfinished",
                identity=None,
                secrets=Secrets(),
                stop=stop,
                on_progress=lambda _: None,
                on_warning=lambda _: None,
                clock=SYSTEM,
            )
            asyncio.get_running_loop().call_later(0.3, stop.set)
            with pytest.raises(StoppedError):
                await recording.run(Server(credentials, client, module.TOKEN_LIFE), None, None)
            await client.aclose()

    asyncio.run(asyncio.wait_for(play(), 20))
    assert threads == [False]
