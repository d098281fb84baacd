"""Nothing of a call is kept without the attribute that says yes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from livekit import rtc

from lkgate.bundle import read
from lkgate.errors import RecordError
from lkgate.record import Attribute, ConsentError, RecordOptions, record_room
from lkgate.record.server import Server
from tests.live.conftest import LiveServer, async_until
from tests.live.people import Person
from tests.live.watcher import delete

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

YES = {"recording_consent": "true"}
NO = {"recording_consent": "false"}

Script = Callable[[Person, Path], Awaitable[None]]


def record(
    server: LiveServer, directory: Path, script: Script
) -> tuple[Path | RecordError, list[str]]:
    """A call that is recorded with consent only, and what the script does in it.

    The bundle or the refusal, and the warnings.
    """
    room = f"ward-{uuid.uuid4().hex[:8]}"
    attribute = Attribute.parse("recording_consent=true")
    options = RecordOptions(room, directory / "call", server.credentials, consent=attribute)
    warnings: list[str] = []

    async def play() -> Path | RecordError:
        agent = Person(server.credentials, room, "bot", "agent", bursts=(0.5, 1.5, 2.5))
        caller = Person(server.credentials, room, "ann", "standard", bursts=(0.5, 1.5, 2.5))
        await asyncio.gather(agent.join(), caller.join())
        talks = [asyncio.create_task(person.talk(40)) for person in (agent, caller)]
        recording = asyncio.create_task(record_room(options, on_warning=warnings.append))
        try:
            await script(caller, directory)
        finally:
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            await asyncio.gather(agent.leave(), caller.leave())
        try:
            return await recording
        except RecordError as error:
            return error

    return asyncio.run(asyncio.wait_for(play(), 90)), warnings


async def say(who: Person, text: str) -> None:
    assert who.room is not None
    await who.room.local_participant.send_text(text, topic="lk.chat")


async def set_attributes(who: Person, attributes: dict[str, str]) -> None:
    assert who.room is not None
    await who.room.local_participant.set_attributes(attributes)


def heard(directory: Path) -> bool:
    return any(directory.glob("*/journal/caller.pcm"))


def test_consent_that_comes_later(live_server: LiveServer, tmp_path: Path) -> None:
    """From then on, and nothing of before."""

    async def script(caller: Person, directory: Path) -> None:
        await say(caller, "before")
        await asyncio.sleep(2.5)
        assert list(directory.iterdir()) == []
        await set_attributes(caller, YES)
        await async_until(lambda: heard(directory), 20)
        await say(caller, "after")
        await asyncio.sleep(1)

    bundle, _ = record(live_server, tmp_path, script)
    assert isinstance(bundle, Path)
    assert [event.data["text"] for event in read(bundle).of_kind("chat")] == ["after"]


def test_consent_that_is_withdrawn(live_server: LiveServer, tmp_path: Path) -> None:
    async def script(caller: Person, directory: Path) -> None:
        await set_attributes(caller, YES)
        await async_until(lambda: heard(directory), 20)
        await set_attributes(caller, NO)
        await async_until(lambda: not list(directory.iterdir()), 20)

    refusal, _ = record(live_server, tmp_path, script)
    assert isinstance(refusal, ConsentError)
    assert "withdrew recording_consent=true: what was recorded was deleted" in refusal.what
    assert list(tmp_path.iterdir()) == []


def test_no_consent(live_server: LiveServer, tmp_path: Path) -> None:
    async def script(caller: Person, directory: Path) -> None:
        await set_attributes(caller, NO)
        await asyncio.sleep(1.5)
        assert list(directory.iterdir()) == []
        # As the server does by itself 20 s after the last one has left.
        await delete(live_server, caller.room_name)

    refusal, _ = record(live_server, tmp_path, script)
    assert isinstance(refusal, ConsentError)
    assert "ended before everybody in it had recording_consent=true" in refusal.what
    assert list(tmp_path.iterdir()) == []


def test_somebody_who_was_not_asked_ends_the_recording(
    live_server: LiveServer, tmp_path: Path
) -> None:
    async def script(caller: Person, directory: Path) -> None:
        await set_attributes(caller, YES)
        await async_until(lambda: heard(directory), 20)
        await asyncio.sleep(1)
        second = Person(live_server.credentials, caller.room_name, "bob", "standard", (0.2,))
        await second.play(2)
        assert (directory / "call").is_dir()

    bundle, warnings = record(live_server, tmp_path, script)
    assert isinstance(bundle, Path)
    assert {track.participant for track in read(bundle).manifest.tracks} == {"ann", "bot"}
    assert "it ended when somebody without recording_consent=true came" in warnings


def test_somebody_who_comes_just_before_the_recorder(
    live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Was in nobody's list when lkgate asked, publishes nothing, and writes as soon as it is in."""
    join = Server.join
    others: list[Person] = []

    async def late(server: Server, room: rtc.Room, name: str) -> None:
        bob = Person(live_server.credentials, name, "bob", "standard")
        others.append(bob)
        await bob.join()
        await join(server, room, name)
        await say(bob, "secret")
        await asyncio.sleep(0.3)

    monkeypatch.setattr(Server, "join", late)

    async def script(caller: Person, directory: Path) -> None:
        await set_attributes(caller, YES)
        await async_until(lambda: bool(others), 20)
        await asyncio.sleep(1.5)
        await others[0].leave()

    refusal, _ = record(live_server, tmp_path, script)
    assert isinstance(refusal, ConsentError)
    assert "somebody without recording_consent=true came into room" in refusal.what
    assert list(tmp_path.iterdir()) == []
