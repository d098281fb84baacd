"""A real LiveKit server, rooms, people and workers, for tests marked ``live``."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lkgate.record import Credentials

HOW_TO_GET_ONE = (
    "no livekit-server was found: install it (brew install livekit, or GOFLAGS=-mod=mod go install "
    "github.com/livekit/livekit-server/cmd/server@v1.13.5) or name it in LKGATE_LIVEKIT_SERVER"
)
NO_ADDRESS = (
    "WebRTC needs an address that is not loopback and this machine has none: run the tests as "
    ".ci/netns python -m pytest"
)
KEY = "lkgatetest"
SECRET = "only-for-tests-0123456789abcdef-0123456789"


def find_server() -> Path | None:
    """``LKGATE_LIVEKIT_SERVER``, ``livekit-server`` on PATH, or what ``go install`` built."""
    named = os.environ.get("LKGATE_LIVEKIT_SERVER")
    if named:
        return Path(named) if Path(named).is_file() else None
    found = shutil.which("livekit-server")
    if found:
        return Path(found)
    go = shutil.which("go")
    if go is None:
        return None
    gopath = subprocess.run([go, "env", "GOPATH"], capture_output=True, text=True, timeout=30)
    server = Path(gopath.stdout.strip()) / "bin" / "server"
    return server if server.is_file() else None


def find_address() -> str | None:
    """An address of this machine that is not loopback. Nothing is sent."""
    inside = os.environ.get("LKGATE_NETNS")
    if inside:
        return inside
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def give_up(reason: str) -> None:
    """Skip with a reason; in CI a skipped live test is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class LiveServer:
    """A running server and a key to it."""

    credentials: Credentials

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.credentials.environment()}


class ServerProcess:
    """A livekit-server on ports of its own, which it keeps when it is started again."""

    def __init__(self, directory: Path, more: Mapping[str, object] | None = None):
        """``more`` goes into its configuration."""
        program = find_server()
        if program is None:
            give_up(HOW_TO_GET_ONE)
        address = find_address()
        if address is None:
            give_up(NO_ADDRESS)
        self.port, tcp, udp = free_ports(3)
        # YAML is a superset of JSON.
        config = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "tcp_port": tcp,
                "udp_port": udp,
                "use_external_ip": False,
                "node_ip": address,
            },
            "keys": {KEY: SECRET},
            "logging": {"level": "info"},
            **(more or {}),
        }
        (directory / "config.yaml").write_text(json.dumps(config))
        self._command = [str(program), "--config", str(directory / "config.yaml")]
        self._log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.live = LiveServer(Credentials(f"ws://127.0.0.1:{self.port}", KEY, SECRET))

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        wait_until(lambda: accepts(self.port), 20, lambda: self._log.read_text()[-2_000:])

    def kill(self) -> None:
        """At once: told to terminate, it would wait for its rooms to empty."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def shut_down(self) -> None:
        """As it is told to for a second time: it says goodbye to everybody."""
        assert self._process is not None
        self._process.terminate()
        time.sleep(0.5)
        self._process.terminate()
        self._process.wait(timeout=20)


@contextmanager
def running(directory: Path, more: Mapping[str, object] | None = None) -> Iterator[ServerProcess]:
    """A server of one's own, to be killed and started again."""
    server = ServerProcess(directory, more)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server for all tests of the session."""
    with running(tmp_path_factory.mktemp("livekit-server")) as server:
        yield server.live


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, at any address: people in rooms do, at the machine's."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(
    condition: Callable[[], bool], seconds: float, explain: Callable[[], str] = lambda: ""
) -> None:
    """Poll; fail with ``explain()`` when it takes longer than ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s\n{explain()}")
        time.sleep(0.05)


async def async_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s")
        await asyncio.sleep(0.05)
