"""What lkgate needs, how it stands, and what mends it; no key is ever shown."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lkgate.diagnosis import (
    Finding,
    audio,
    clock,
    disk,
    interpreter,
    network_block,
    recordings,
    server_findings,
)
from lkgate.diagnosis.agents import supported
from lkgate.diagnosis.finding import of_error
from lkgate.diagnosis.server import server_time
from lkgate.errors import ConfigError
from tests.replay.recorded import record

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY, SECRET = "APIkeykeykey", "a-secret-that-nobody-may-see-anywhere"


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10, 9), "wrong"), ((3, 11, 0), "ok"), ((3, 13, 5), "ok"), ((3, 14, 0), "wrong")],
)
def test_the_interpreter(version: tuple[int, int, int], status: str) -> None:
    found = interpreter(version, "python")
    assert found.status == status
    assert (found.remedy is None) == (status == "ok")


def test_this_machines_audio_and_network_block() -> None:
    assert audio().status in ("ok", "note")
    assert network_block().status in ("ok", "note")


def test_a_block_that_does_not_hold_is_wrong(tmp_path: Path) -> None:
    """An interpreter in which the connection goes through, for all that is known."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no guard here >&2\nexit 1\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    found = network_block(str(python))
    assert (found.status, found.said) == (
        "wrong",
        "a connection was not refused: no guard here",
    )
    assert found.remedy is not None
    nowhere = network_block(str(tmp_path / "nowhere"))
    assert (nowhere.status, nowhere.said) == (
        "wrong",
        "could not be tried: No such file or directory",
    )
    assert nowhere.remedy is not None


def test_recordings_that_cannot_be_read_are_no_recordings(tmp_path: Path) -> None:
    home = tmp_path / "recordings"
    found = recordings(home)
    assert (found.status, found.said) == ("note", f"0 recordings in {home}")
    for name in ("sound", "torn"):
        record(tmp_path, name)
    assert recordings(home) == Finding("recordings", "ok", f"2 recordings in {home}")
    (home / "torn" / "manifest.json").write_text("{")
    (home / "x.unfinished").mkdir()
    found = recordings(home)
    assert found.status == "wrong"
    assert found.said.startswith(
        f"1 recording in {home}, and 2 that cannot be read: {home}/torn/manifest.json: no JSON: "
    )
    assert found.remedy == "The bundle was altered or damaged: get it again from where it came."


@pytest.mark.parametrize("content", [b"\x7fELF\xff", b"no assignment"])
def test_an_env_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    (found,) = server_findings({}, tmp_path / ".env")
    assert found.status == "wrong"
    assert found.remedy is not None


def test_an_error_without_a_next_step_gets_one() -> None:
    assert of_error("gates", ConfigError("it is wrong", where="g.yaml:3"), "Correct it.") == (
        Finding("gates", "wrong", "g.yaml:3: it is wrong", "Correct it.")
    )


@pytest.mark.parametrize(("gib", "status"), [(0.1, "wrong"), (1, "note"), (5, "ok")])
def test_the_disk(tmp_path: Path, gib: float, status: str) -> None:
    found = disk(tmp_path / "not" / "yet", round(gib * (1 << 30)))
    assert found.status == status
    assert found.said == f"{gib:.1f} GiB free at {tmp_path}"


@pytest.mark.parametrize(
    ("now", "server", "status"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), None, "wrong"),
        (NOW, None, "ok"),
        (NOW, NOW + timedelta(seconds=5), "ok"),
        (NOW, NOW - timedelta(seconds=60), "note"),
        (NOW, NOW + timedelta(hours=1), "wrong"),
    ],
)
def test_the_clock(now: datetime, server: datetime | None, status: str) -> None:
    assert clock(now, server).status == status


@pytest.mark.parametrize(
    ("agents", "rtc", "status"),
    [
        ("1.8.9", "1.1.21", "ok"),
        ("1.7.1", "1.1.15", "ok"),
        ("1.8.0", "1.1.2", "wrong"),
        ("1.9.0", "1.1.21", "wrong"),
    ],
)
def test_livekits_versions(agents: str, rtc: str, status: str) -> None:
    found = supported("build v2", {"livekit-agents": agents, "livekit": rtc, "python": "3.11.7"})
    assert found.status == status
    assert (found.remedy is None) == (status == "ok")


class _Late(BaseHTTPRequestHandler):
    """A server whose clock is an hour late, and which takes no key."""

    def do_POST(self) -> None:
        self._refuse()

    def do_HEAD(self) -> None:
        self._refuse()

    def _refuse(self) -> None:
        self.send_response_only(401)
        self.send_header("Date", "Mon, 01 Jun 2026 11:00:00 GMT")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


def test_a_server_that_refuses_the_key() -> None:
    with HTTPServer(("127.0.0.1", 0), _Late) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environ = {
            "LIVEKIT_URL": f"ws://127.0.0.1:{server.server_port}",
            "LIVEKIT_API_KEY": KEY,
            "LIVEKIT_API_SECRET": SECRET,
        }
        credentials, answer = server_findings(environ, None)
        late = server_time(environ, None)
        server.shutdown()
    assert credentials.status == "ok"
    assert answer.status == "wrong"
    assert late == NOW - timedelta(hours=1)
    assert clock(NOW, late).status == "wrong"
    for found in (credentials, answer):
        assert SECRET not in str(found)
        assert KEY not in str(found)


def test_half_of_the_credentials() -> None:
    (found,) = server_findings({"LIVEKIT_API_SECRET": SECRET}, None)
    assert (found.status, found.said) == ("wrong", "LIVEKIT_URL, LIVEKIT_API_KEY are not set")
    assert SECRET not in str(found)
    (found,) = server_findings({}, None)
    assert found.status == "note"
    assert server_time({}, None) is None


def doctor(cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lkgate", "doctor"],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
    )


def test_every_thing_is_told_and_what_is_wrong_is_exit_4(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "gate.yaml").write_text("version: 1\nrules: 7\n")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.lkgate]\ngates = ["gate.yaml"]\n[tool.lkgate.builds.v2]\nprogram = "gone.py"\n'
    )
    done = doctor(
        tmp_path,
        LIVEKIT_URL=f"ws://127.0.0.1:{port}",
        LIVEKIT_API_KEY=KEY,
        LIVEKIT_API_SECRET=SECRET,
    )
    assert done.returncode == 4, done.stderr
    lines = done.stdout.splitlines()
    told = [line.partition(":")[0] for line in lines if not line.startswith(" ")]
    assert [one[2:] for one in told] == [
        "interpreter",
        "audio",
        "network block",
        "settings",
        "gates",
        "recordings",
        "build v2",
        "disk",
        "credentials",
        "server",
        "clock",
    ]
    assert [one[2:] for one in told if one.startswith("x ")] == ["gates", "build v2", "server"]
    assert KEY not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_wrong_settings_are_one_finding_among_others(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lkgate]\nrecording = 1\n")
    done = doctor(tmp_path)
    assert done.returncode == 4
    assert f"x settings: {tmp_path}/pyproject.toml:2: unknown setting `recording`\n" in done.stdout
    assert "\n    Did you mean `recordings`?" in done.stdout
    assert "\n+ disk: " in done.stdout or "\n- disk: " in done.stdout
