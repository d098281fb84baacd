from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate.bundle import Journal, read
from lkgate.cassette import Part
from lkgate.errors import ConfigError, RecordError
from lkgate.record import Credentials, RecordOptions, record_room, recover
from tests.live.conftest import free_ports

NOWHERE = Credentials("ws://127.0.0.1:9", "key", "s" * 40)


def record(out: Path) -> None:
    asyncio.run(record_room(RecordOptions("ward", out, NOWHERE)))


def cut_off(directory: Path) -> None:
    """What a recorder that was killed leaves."""
    journal = Journal.create(
        directory,
        header={"id": "call", "source": "record", "room": "ward", "started_at_unix_us": 1},
    )
    track = journal.track(
        "caller",
        role="caller",
        participant="ann",
        sid="TR_1",
        sample_rate_hz=24_000,
        offset_us=100_000,
    )
    track.write(bytes(48_000))
    journal.event(5, "connected", {"room": "ward", "sid": "RM_1"})
    journal.sync()
    with (directory / "journal" / "events.jsonl").open("ab") as file:
        file.write(b'{"t_us": 17, "ki')


def test_recover(tmp_path: Path) -> None:
    left = tmp_path / "call.unfinished"
    cut_off(left)
    assert recover(left) == tmp_path / "call"
    bundle = read(tmp_path / "call")
    assert bundle.manifest.duration_us == 1_100_000
    assert [event.kind for event in bundle.events] == ["connected", "lkgate.recovered"]
    assert not left.exists()


def test_recover_with_what_the_worker_wrote(tmp_path: Path) -> None:
    left = tmp_path / "call.unfinished"
    cut_off(left)
    part = Part(left / "cassette-parts", lambda: ("ward", "job"))
    part.add("tool", 500_001, {"name": "book", "arguments": {"day": "Monday"}}, {"output": "ok"})
    part.write("worker", {"agent_name": "clinic", "id": "AW_1"})
    recover(left)
    bundle = read(tmp_path / "call")
    assert bundle.manifest.cassette == "partial"
    (line,) = (tmp_path / "call" / "cassette" / "index.jsonl").read_text().splitlines()
    # Session time: the recording began at 1 us.
    assert json.loads(line)["t_us"] == 500_000


def test_recover_to_another_place_and_from_another_name(tmp_path: Path) -> None:
    cut_off(tmp_path / "a")
    assert recover(tmp_path / "a") == tmp_path / "a-recovered"
    cut_off(tmp_path / "b.unfinished")
    assert recover(tmp_path / "b.unfinished", out=tmp_path / "c") == tmp_path / "c"


def test_recover_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        recover(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: there is no unfinished recording here\n"
        "  A recording that was cut off ends in .unfinished."
    )


def test_a_recording_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    left = tmp_path / "call.unfinished"
    cut_off(left)
    script = (
        "import sys; from pathlib import Path; from lkgate.record.unfinished import held\n"
        "with held(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    recorder = subprocess.Popen(
        [sys.executable, "-c", script, str(left)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline()
        before = {path: path.read_bytes() for path in left.rglob("*") if path.is_file()}
        for attempt in (lambda: recover(left), lambda: record(tmp_path / "call")):
            with pytest.raises(ConfigError) as caught:
                attempt()
            assert str(caught.value) == (
                f"{left}: is being recorded by another process\n"
                "  It becomes a bundle when that one ends: stop it with SIGTERM or Ctrl-C."
            )
        assert {path: path.read_bytes() for path in left.rglob("*") if path.is_file()} == before
        recorder.kill()
    assert recover(left) == tmp_path / "call"


def test_recover_in_a_directory_without_a_name(tmp_path: Path) -> None:
    cut_off(tmp_path / ".unfinished")
    assert recover(tmp_path / ".unfinished") == tmp_path / "unfinished-recovered"


def test_recover_where_a_directory_is_in_the_place_of_a_file(tmp_path: Path) -> None:
    left = tmp_path / "call.unfinished"
    cut_off(left)
    (left / "journal" / "caller.pcm").unlink()
    (left / "journal" / "caller.pcm").mkdir()
    with pytest.raises(RecordError) as caught:
        recover(left)
    assert str(caught.value) == (
        f"{left}/journal/caller.pcm: the recording could not be written: Is a directory\n"
        f"  Move away what is in the way, then run 'lkgate recover {left}': what was written "
        "until then is there."
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    left = tmp_path / "call.unfinished"
    cut_off(left)
    with pytest.raises(ConfigError) as caught:
        record(tmp_path / "call")
    assert str(caught.value) == (
        f"{left}: an earlier recording was cut off here\n"
        f"  Run 'lkgate recover {left}', or remove it."
    )
    (tmp_path / "call").mkdir()
    for attempt in (lambda: record(tmp_path / "call"), lambda: recover(left)):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert str(caught.value) == (
            f"{tmp_path / 'call'}: there is something already\n  Name another with --out."
        )
    assert (left / "journal").is_dir()


def test_no_server(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    nowhere = Credentials(f"ws://127.0.0.1:{port}", "key", "s" * 40)
    with pytest.raises(RecordError) as caught:
        asyncio.run(record_room(RecordOptions("ward", tmp_path / "call", nowhere)))
    assert str(caught.value) == (
        f"ws://127.0.0.1:{port}: no LiveKit server answers: connection refused\n"
        "  Check LIVEKIT_URL, or start a server: the released binary "
        "(https://github.com/livekit/livekit/releases) or that of a package manager "
        "(brew install livekit) with 'livekit-server --dev', or a container "
        "(docker run --rm --network host livekit/livekit-server --dev)."
    )
    assert list(tmp_path.iterdir()) == []


def test_what_answers_is_no_livekit_server(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def play() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        elsewhere = Credentials(f"ws://127.0.0.1:{port}", "key", "s" * 40)
        async with server:
            with pytest.raises(RecordError) as caught:
                await record_room(RecordOptions("ward", tmp_path / "call", elsewhere))
        assert str(caught.value) == (
            f"ws://127.0.0.1:{port}: what answers is no LiveKit server (404)\n"
            "  Check LIVEKIT_URL: its host, its port, and whether it is ws:// or wss://."
        )

    asyncio.run(asyncio.wait_for(play(), 30))
