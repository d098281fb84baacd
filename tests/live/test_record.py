"""Rooms of a real server, recorded from outside."""

from __future__ import annotations

import asyncio
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lkgate.bundle import read, read_pcm, verify
from lkgate.errors import RecordError
from lkgate.model.bundle import Bundle, Track
from lkgate.record import Progress, RecordOptions, StoppedError, record_room, recover
from tests.live.conftest import LiveServer
from tests.live.people import Person, call

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

RECORDER = Path(__file__).with_name("recorder.py")


@pytest.fixture
def room() -> str:
    return f"ward-{uuid.uuid4().hex[:8]}"


def onsets_us(path: Path, track: Track) -> list[int]:
    """Session time of every first loud sample after half a second of quiet."""
    pcm = np.abs(read_pcm(path, track).astype(np.int32))
    loud = np.flatnonzero(pcm > 1_500)
    first = np.flatnonzero(
        np.diff(loud, prepend=-track.sample_rate_hz) > 0.5 * track.sample_rate_hz
    )
    return [track.offset_us + int(s) * 1_000_000 // track.sample_rate_hz for s in loud[first]]


def lateness_ms(bundle: Bundle, path: Path, role: str, sent_ns: list[int]) -> list[float]:
    """How much later than at its sender each burst begins in the bundle."""
    (track,) = [track for track in bundle.manifest.tracks if track.role == role]
    started_us = bundle.manifest.started_at_unix_us
    assert started_us is not None
    heard = onsets_us(path, track)
    sent = [ns // 1_000 - started_us for ns in sent_ns]
    assert len(heard) == len(sent), (heard, sent)
    return [(h - s) / 1_000 for h, s in zip(heard, sent, strict=True)]


def test_two_people(live_server: LiveServer, tmp_path: Path, room: str) -> None:
    credentials = live_server.credentials
    agent = Person(credentials, room, "bot", "agent", bursts=(3.0, 5.0, 7.0))
    caller = Person(credentials, room, "ann", "standard", bursts=(4.0, 6.0))
    out = tmp_path / "call"
    progress: list[Progress] = []
    warnings: list[str] = []

    async def speak() -> None:
        await asyncio.sleep(2.5)
        assert caller.room is not None
        me = caller.room.local_participant
        await me.send_text("hello", topic="lk.chat")
        await me.send_text("step two", topic="clinic.form")
        await me.publish_data(b"ping", topic="probe")
        await me.set_attributes({"language": "de"})

    async def play() -> None:
        options = RecordOptions(room, out, credentials, topics=("probe",))
        recording = asyncio.create_task(
            record_room(options, on_progress=progress.append, on_warning=warnings.append)
        )
        await asyncio.gather(call(agent, caller, seconds=8.5), speak())
        assert await recording == out

    asyncio.run(asyncio.wait_for(play(), 60))

    assert warnings == []
    bundle = verify(out)
    assert bundle.manifest.source == "record"
    assert bundle.manifest.cassette == "none"
    assert set(bundle.manifest.absent) == {"build", "cassette"}
    assert sorted(track.id for track in bundle.manifest.tracks) == ["agent", "caller"]
    for role, person in (("agent", agent), ("caller", caller)):
        late = lateness_ms(bundle, out, role, person.onsets)
        assert abs(statistics.median(late)) <= 150

    # Nobody saw the recorder.
    assert agent.seen <= {"ann"} and caller.seen <= {"bot"}
    # Everything else that was said is there.
    assert [e.data["text"] for e in bundle.of_kind("chat")] == ["hello"]
    assert [e.data["topic"] for e in bundle.of_kind("text_stream")] == ["clinic.form"]
    assert [e.data["text"] for e in bundle.of_kind("data_received")] == ["ping"]
    assert [e.data["changed"] for e in bundle.of_kind("participant_attributes_changed")] == [
        {"language": "de"}
    ]
    # The tones' pauses are not sent; nothing else is missing.
    causes = {gap.data["cause"] for gap in bundle.of_kind("lkgate.gap")}
    assert "discontinuous_transmission" in causes
    assert causes <= {"discontinuous_transmission", "late", "loss"}  # the machine may be busy
    assert not out.with_name("call.unfinished").exists()
    assert progress[0].state == "waiting for the room"
    assert progress[-1].state == "recording" and progress[-1].tracks == 2

    for file in out.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert credentials.secret.encode() not in content
        assert credentials.key.encode() not in content


@contextmanager
def recorder(server: LiveServer, room: str, out: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(RECORDER), room, str(out)],
        env={**server.environment(), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def during_a_call(
    server: LiveServer, room: str, process: subprocess.Popen[str], number: int
) -> tuple[int, str, int]:
    """Send the recorder a signal 3 s after it began to record.

    Its exit code, what it said, and the wall clock at the signal in microseconds.
    """
    agent = Person(server.credentials, room, "bot", "agent", bursts=(1.0, 2.0, 3.0))
    caller = Person(server.credentials, room, "ann", "standard", bursts=(1.5,))
    talk = asyncio.create_task(call(agent, caller, seconds=30))
    try:
        output = process.stdout
        assert output is not None
        while (line := await asyncio.to_thread(output.readline)) != "recording\n":
            assert line, "the recorder ended early"
        await asyncio.sleep(3)
        sent_us = time.time_ns() // 1_000
        process.send_signal(number)
        said, errors = await asyncio.to_thread(process.communicate, timeout=30)
        assert "Traceback" not in errors
        return process.returncode, said, sent_us
    finally:
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        await agent.leave()
        await caller.leave()


def test_ctrl_c_closes_the_bundle(live_server: LiveServer, tmp_path: Path, room: str) -> None:
    out = tmp_path / "call"
    with recorder(live_server, room, out) as process:
        code, said, _ = asyncio.run(during_a_call(live_server, room, process, signal.SIGINT))
    assert (code, said) == (0, f"{out}\n")
    bundle = read(out)
    assert [e.data["reason"] for e in bundle.of_kind("lkgate.recording_ended")] == ["stopped"]
    assert {track.role for track in bundle.manifest.tracks} == {"agent", "caller"}


def test_wrong_key(live_server: LiveServer, tmp_path: Path, room: str) -> None:
    wrong = replace(live_server.credentials, secret="x" * 40)
    with pytest.raises(RecordError) as caught:
        asyncio.run(record_room(RecordOptions(room, tmp_path / "call", wrong)))
    assert str(caught.value) == (
        f"{wrong.url}: the server refused the API key (401)\n"
        "  Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET for this server, whether the key was "
        "revoked or has expired, and this machine's clock: what a key signs holds for minutes."
    )
    assert list(tmp_path.iterdir()) == []


def test_room_that_never_appears(live_server: LiveServer, tmp_path: Path, room: str) -> None:
    options = RecordOptions(room, tmp_path / "call", live_server.credentials, wait_us=1_000_000)
    with pytest.raises(RecordError) as caught:
        asyncio.run(record_room(options))
    assert str(caught.value) == (
        f"{live_server.credentials.url}: room {room!r} did not appear within 1 s\n"
        "  Start the call first, wait longer with --wait, or check the name."
    )
    assert list(tmp_path.iterdir()) == []


def test_stopped_before_there_was_a_room(
    live_server: LiveServer, tmp_path: Path, room: str
) -> None:
    async def play() -> None:
        stop = asyncio.Event()
        options = RecordOptions(room, tmp_path / "call", live_server.credentials)
        asyncio.get_running_loop().call_later(0.3, stop.set)
        await record_room(options, stop=stop)

    with pytest.raises(StoppedError):
        asyncio.run(play())
    assert list(tmp_path.iterdir()) == []


def test_no_agent(live_server: LiveServer, tmp_path: Path, room: str) -> None:
    """What the caller said is kept."""
    out = tmp_path / "call"
    options = RecordOptions(room, out, live_server.credentials, wait_us=3_000_000)
    caller = Person(live_server.credentials, room, "ann", "standard", bursts=(1.0,))

    async def play() -> None:
        talk = asyncio.create_task(call(caller, seconds=5))
        with pytest.raises(RecordError, match=f"no agent joined room '{room}' within 3 s"):
            await record_room(options)
        await talk

    asyncio.run(asyncio.wait_for(play(), 60))
    assert recover(out.with_name("call.unfinished")) == out
    assert [track.id for track in read(out).manifest.tracks] == ["caller"]


def test_nobody_speaks(live_server: LiveServer, tmp_path: Path, room: str) -> None:
    agent = Person(live_server.credentials, room, "bot", "agent")
    caller = Person(live_server.credentials, room, "ann", "standard")
    warnings: list[str] = []
    options = RecordOptions(room, tmp_path / "call", live_server.credentials, duration_us=2_000_000)

    async def play() -> None:
        talk = asyncio.create_task(call(agent, caller, seconds=4))
        await record_room(options, on_warning=warnings.append)
        await talk

    asyncio.run(asyncio.wait_for(play(), 60))
    bundle = read(tmp_path / "call")
    assert warnings == ["the caller was never heard to speak", "the agent was never heard to speak"]
    assert 2_000_000 <= bundle.manifest.duration_us < 10_000_000
