"""A build's worker, started, dispatched into a real room and recorded."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from pathlib import Path

import pytest

from lkgate.bundle import read
from lkgate.errors import BuildError
from lkgate.model.build import Build
from lkgate.record import Progress, RecordOptions, record_room
from tests.live.conftest import LiveServer, async_until
from tests.live.people import Person

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

HERE = Path(__file__).parent


def build(program: str, **env: str) -> Build:
    return Build("greeter", Path(sys.executable), HERE / program, None, (), HERE, env)


def processes_of(program: str) -> list[int]:
    """Ids of running processes that have ``program`` in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if program in (entry / "cmdline").read_bytes().decode(errors="replace"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_agent_that_calls_a_tool(live_server: LiveServer, tmp_path: Path) -> None:
    room = f"ward-{uuid.uuid4().hex[:8]}"
    credentials = live_server.credentials
    caller = Person(credentials, room, "ann", "standard")
    states = [Progress("waiting for the build's worker", 0, 0, 0, 0)]
    stop = asyncio.Event()

    async def play() -> None:
        options = RecordOptions(room, tmp_path / "call", credentials, build("greeter.py"))
        recording = asyncio.create_task(record_room(options, on_progress=states.append, stop=stop))
        await async_until(lambda: recording.done() or states[-1].elapsed_us > 0, 60)
        assert not recording.done(), recording.result()
        talk = asyncio.create_task(caller.play(9))
        await async_until(lambda: states[-1].state == "recording", 20)
        await asyncio.sleep(4)
        assert caller.room is not None
        await caller.room.local_participant.send_text("book Monday", topic="lk.chat")
        await talk
        await recording

    asyncio.run(asyncio.wait_for(play(), 150))
    bundle = read(tmp_path / "call")
    manifest = bundle.manifest
    assert manifest.build is not None and manifest.build.name == "greeter"
    assert manifest.build.versions["livekit-agents"]
    assert manifest.cassette == "full"
    index = (tmp_path / "call" / "cassette" / "index.jsonl").read_text().splitlines()
    modalities = [json.loads(line)["modality"] for line in index]
    assert {name: modalities.count(name) for name in ("llm", "tts", "tool")} == {
        "llm": 3,
        "tts": 2,
        "tool": 1,
    }
    assert {track.role for track in manifest.tracks} == {"caller", "agent"}
    assert any(track.speech for track in bundle.tracks("agent"))

    assert [e.data["calls"] for e in bundle.of_kind("function_tools_executed")] == [
        [
            {
                "name": "book",
                "call_id": "call_1",
                "arguments": {"day": "Monday"},
                "output": "booked for Monday",
                "is_error": False,
            }
        ]
    ]
    texts = [
        item["text"]
        for event in bundle.of_kind("conversation_item_added")
        if isinstance(item := event.data["item"], dict) and item["type"] == "message"
    ]
    assert texts == ["Good day, how can I help?", "book Monday", "Done: booked for Monday."]
    assert [e.data["text"] for e in bundle.of_kind("transcription")] == [
        "Good day, how can I help?",
        "Done: booked for Monday.",
    ]
    states_seen = [e.data["new_state"] for e in bundle.of_kind("agent_state_changed")]
    assert states_seen.count("speaking") == 2
    assert bundle.of_kind("lkgate.undecoded") == ()
    assert [e.data["reason"] for e in bundle.of_kind("lkgate.recording_ended")] == ["caller_left"]
    # LiveKit's clock and ours are the same machine's.
    for event in bundle.of_kind("agent_state_changed"):
        created_us = event.data["created_us"]
        assert isinstance(created_us, int) and 0 <= event.t_us - created_us < 3_000_000
    assert processes_of("greeter.py") == []
    jobs = [e.data for e in bundle.of_kind("lkgate.job") if e.data.get("agent_name") != ""]
    phases = [data["phase"] for data in jobs]
    # The server tells of the first job in a minute 5 s late.
    assert sorted(map(str, phases)) == ["assigned", "first_audio", "joined", "requested"]
    assert phases[0] == "requested" and phases.index("joined") < phases.index("first_audio")
    assert {data.get("identity") for data in jobs[1:]} == {jobs[-1]["identity"]}

    for file in (tmp_path / "call").rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert credentials.secret.encode() not in content
        assert credentials.key.encode() not in content


@pytest.mark.parametrize(
    ("name", "room_is_new"),
    [
        ("", True),
        pytest.param("greeter", False, marks=pytest.mark.soak),
        pytest.param("greeter", True, marks=pytest.mark.soak),
        pytest.param("", False, marks=pytest.mark.soak),
    ],
)
def test_one_agent_comes_and_stopping_in_mid_call_ends_it(
    live_server: LiveServer, tmp_path: Path, name: str, room_is_new: bool
) -> None:
    room = f"ward-{uuid.uuid4().hex[:8]}"
    credentials = live_server.credentials
    caller = Person(credentials, room, "ann", "standard")
    states = [Progress("waiting for the build's worker", 0, 0, 0, 0)]
    stop = asyncio.Event()

    async def play() -> None:
        agent = build("greeter.py", GREETER_NAME=name, GREETER_BYE=str(tmp_path / "bye"))
        options = RecordOptions(room, tmp_path / "call", credentials, agent)
        if not room_is_new:
            await caller.join()
        recording = asyncio.create_task(record_room(options, on_progress=states.append, stop=stop))
        if room_is_new:
            await async_until(lambda: recording.done() or states[-1].elapsed_us > 0, 60)
            await caller.join()
        talk = asyncio.create_task(caller.talk(60))
        await async_until(lambda: recording.done() or states[-1].tracks >= 2, 60)
        await asyncio.sleep(1)
        stop.set()
        await recording
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        await caller.leave()

    asyncio.run(asyncio.wait_for(play(), 150))
    # The agent's own shutdown callbacks ran: it was not killed.
    assert (tmp_path / "bye").exists()
    assert processes_of("greeter.py") == []
    bundle = read(tmp_path / "call")
    assert [e.data["reason"] for e in bundle.of_kind("lkgate.recording_ended")] == ["stopped"]
    assert len({track.participant for track in bundle.tracks("agent")}) == 1


def test_build_that_raises(live_server: LiveServer, tmp_path: Path) -> None:
    program = tmp_path / "broken.py"
    program.write_text("import os\nraise RuntimeError('no ' + os.environ['LIVEKIT_API_SECRET'])\n")
    broken = Build("v9", Path(sys.executable), program, None, (), tmp_path, {})
    options = RecordOptions("ward", tmp_path / "call", live_server.credentials, broken)
    with pytest.raises(BuildError) as caught:
        asyncio.run(asyncio.wait_for(record_room(options), 60))
    message = str(caught.value)
    assert "build 'v9' ended with exit code 1 before it was registered" in message
    assert "RuntimeError: no [LIVEKIT_API_SECRET]" in message
    assert live_server.credentials.secret not in message
    assert [path.name for path in tmp_path.iterdir()] == ["broken.py"]
