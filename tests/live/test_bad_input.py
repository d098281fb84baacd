"""Every way in which a recording cannot be: one clear message with what to do next."""

from __future__ import annotations

import asyncio
import re
import subprocess
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import livekit.api.access_token
import pytest
from livekit import rtc

from lkgate.bundle import verify
from lkgate.errors import RecordError
from lkgate.record import Credentials, RecordOptions, record_room
from lkgate.record.refusals import refused_join
from tests.live.conftest import LiveServer, async_until
from tests.live.people import Person, call, token
from tests.live.watcher import lkgate, watching

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

CHECK_KEY = (
    "  Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET for this server, whether the key was "
    "revoked or has expired, and this machine's clock: what a key signs holds for minutes."
)


@pytest.fixture
def room() -> str:
    return f"ward-{uuid.uuid4().hex[:8]}"


def refused(server: LiveServer, cwd: Path, **change: str) -> tuple[int, str]:
    """Exit code and stderr of a recorder whose credentials are changed."""
    environ = {**server.environment(), **change}
    done = lkgate("record", "--room", "ward", "--wait", "1", environ=environ, cwd=cwd)
    assert done.stdout == "" and list(cwd.iterdir()) == []
    return done.returncode, done.stderr


def test_a_key_that_is_not_the_servers(live_server: LiveServer, tmp_path: Path) -> None:
    said = (
        f"error: {live_server.credentials.url}: the server refused the API key (401)\n{CHECK_KEY}\n"
    )
    assert refused(live_server, tmp_path, LIVEKIT_API_SECRET="x" * 40) == (4, said)
    assert refused(live_server, tmp_path, LIVEKIT_API_KEY="unknown") == (4, said)


def test_a_key_used_by_a_clock_that_is_wrong(
    live_server: LiveServer, tmp_path: Path, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it signs has expired when the server reads it."""

    def two_days_ago(tz: Any = None) -> datetime:
        return datetime.now(UTC) - timedelta(days=2)

    monkeypatch.setattr(
        livekit.api.access_token,
        "datetime",
        SimpleNamespace(
            datetime=SimpleNamespace(now=two_days_ago),
            timedelta=timedelta,
            timezone=SimpleNamespace(utc=UTC),
        ),
    )
    with pytest.raises(RecordError) as caught:
        asyncio.run(record_room(RecordOptions(room, tmp_path / "call", live_server.credentials)))
    assert str(caught.value) == (
        f"{live_server.credentials.url}: the server refused the API key (401)\n{CHECK_KEY}"
    )


def test_a_token_that_is_refused_is_not_printed(live_server: LiveServer, room: str) -> None:
    """The server repeats it, and it is a key to the room."""
    wrong = replace(live_server.credentials, secret="x" * 40)

    async def join() -> rtc.ConnectError:
        try:
            await rtc.Room().connect(wrong.url, token(wrong, room, "ann"))
        except rtc.ConnectError as error:
            return error
        raise AssertionError("it was let in")

    error = asyncio.run(asyncio.wait_for(join(), 30))
    assert "eyJ" in error.message
    told = refused_join(error, room, wrong)
    assert "eyJ" not in str(told) and "401" in told.what and "[token]" in told.what
    assert told.next_step is not None and told.next_step in CHECK_KEY


def test_tls_where_there_is_none(live_server: LiveServer, tmp_path: Path) -> None:
    url = live_server.credentials.url.replace("ws://", "wss://")
    code, said = refused(live_server, tmp_path, LIVEKIT_URL=url)
    assert (code, said) == (
        4,
        f"error: {url}: no TLS with what answers: wrong version number\n"
        "  A server without a certificate of its own has ws://, not wss://.\n",
    )


def test_a_host_that_cannot_be_found(live_server: LiveServer, tmp_path: Path) -> None:
    code, said = refused(live_server, tmp_path, LIVEKIT_URL="ws://no-such-host.invalid:7880")
    assert code == 4
    # The reason is the resolver's own, and another on every machine.
    assert re.sub(r"found: .*", "found: ...", said) == (
        "error: ws://no-such-host.invalid:7880: the host of LIVEKIT_URL cannot be found: ...\n"
        "  Check its spelling, and this machine's network and DNS.\n"
    )


def during_a_call(
    credentials: Credentials, room: str, work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Run ``work`` while an agent and a caller talk."""
    agent = Person(credentials, room, "bot", "agent", bursts=(0.5, 1.5))
    caller = Person(credentials, room, "ann", "standard", bursts=(1.0, 2.0))

    async def play() -> None:
        talk = asyncio.create_task(call(agent, caller, seconds=60))
        try:
            await work()
        finally:
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)

    asyncio.run(asyncio.wait_for(play(), 100))


def test_a_room_that_already_has_a_recorder(
    live_server: LiveServer, tmp_path: Path, room: str
) -> None:
    async def work() -> None:
        stop = asyncio.Event()
        options = RecordOptions(room, tmp_path / "one", live_server.credentials)
        first = asyncio.create_task(record_room(options, stop=stop))
        await async_until(lambda: any(tmp_path.glob("*/journal/agent.pcm")), 30)
        done = await asyncio.to_thread(
            lkgate, "record", "--room", room, environ=live_server.environment(), cwd=tmp_path
        )
        assert done.returncode == 4
        assert re.sub(r"lkgate-[0-9a-f]{8}", "lkgate-*", done.stderr) == (
            f"error: {live_server.credentials.url}: room {room!r} already has a recorder, "
            "lkgate-*\n"
            "  Its bundle will hold the call. To record here instead, end that one first; if it "
            "was killed, the server drops it within a minute.\n"
        )
        stop.set()
        assert await first == tmp_path / "one"

    during_a_call(live_server.credentials, room, work)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("name", ["ward/3 east/..", "приёмная №1 ☎"])
def test_rooms_whose_names_are_no_file_names(
    live_server: LiveServer, tmp_path: Path, name: str
) -> None:
    async def work() -> None:
        done = await asyncio.to_thread(
            lkgate,
            *("record", "--room", name, "--duration", "2"),
            environ=live_server.environment(),
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        (line,) = done.stdout.splitlines()
        (made,) = (tmp_path / "recordings").iterdir()
        assert tmp_path / line == made
        assert verify(made).manifest.room == name

    during_a_call(live_server.credentials, name, work)


@pytest.mark.parametrize(
    ("mount", "reason"), [("size=300k", "No space left on device"), ("ro", "Read-only file system")]
)
def test_a_disk_that_cannot_be_written(
    live_server: LiveServer, tmp_path: Path, room: str, mount: str, reason: str
) -> None:
    """Full in the middle of the call, or read-only from the start."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["unshare", "--mount", "sh", "-c"]
    mounted += [f'mount -t tmpfs -o {mount} tmpfs {disk} && exec "$@"', "sh"]
    said: list[subprocess.CompletedProcess[str]] = []

    async def work() -> None:
        said.append(
            await asyncio.to_thread(
                lkgate,
                *("record", "--room", room, "--out", str(disk / "call")),
                environ=live_server.environment(),
                cwd=tmp_path,
                before=mounted,
            )
        )

    during_a_call(live_server.credentials, room, work)
    (done,) = said
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    first, second = [line for line in done.stderr.splitlines() if "livekit" not in line]
    assert first.startswith("error: ") and first.endswith(reason) and str(disk) in first
    assert second.startswith("  ")


def test_watching_where_nothing_can_be_written(live_server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = lkgate(
        *("record", "--watch", "*", "--out", str(tmp_path / "file" / "calls")),
        environ=live_server.environment(),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (
        4,
        f"error: {tmp_path}/file/calls: Not a directory\n"
        "  Free space there, make it writable, or name another place.\n",
    )


def test_two_watches_of_one_directory(live_server: LiveServer, tmp_path: Path) -> None:
    with watching(live_server, tmp_path) as watcher:
        done = lkgate(
            *("record", "--watch", "*", "--out", str(watcher.out)),
            environ=live_server.environment(),
            cwd=tmp_path,
        )
        assert (done.returncode, done.stderr) == (
            2,
            f"error: {watcher.out}: another 'lkgate record --watch' writes here\n"
            "  Give each recorder a directory of its own with --out.\n",
        )
