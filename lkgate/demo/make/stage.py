"""Where the calls take place: a network namespace of their own, and a real server in it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lkgate.errors import ConfigError
from lkgate.record import Credentials

ADDRESS = "10.77.0.1"
PORT = 7880
_INSIDE = "LKGATE_DEMO_STAGE"
# Media needs an address that is not loopback; nothing leaves the namespace.
_NAMESPACE = f"""
ip link set lo up
ip link add lk0 type veth peer name lk1
ip addr add {ADDRESS}/24 dev lk0
ip link set lk0 up
ip link set lk1 up
exec "$@"
"""


def enter_namespace(arguments: list[str]) -> None:
    """Run this command again in a new network namespace, unless it is in one; does not return.

    Raises:
        ConfigError: unshare or ip is missing.
    """
    if os.environ.get(_INSIDE):
        return
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            raise ConfigError(
                f"{tool} is not installed",
                next_step="On Debian: apt-get install util-linux iproute2.",
            )
    root = [] if os.geteuid() == 0 else ["-r"]
    command = ["unshare", *root, "-n", "sh", "-ec", _NAMESPACE, "sh", sys.executable]
    os.execvpe(
        command[0], [*command, "-m", "lkgate.demo.make", *arguments], {**os.environ, _INSIDE: "1"}
    )


@contextmanager
def server(log: Path) -> Iterator[Credentials]:
    """A LiveKit server with a key that nobody else has.

    Raises:
        ConfigError: there is no server to start, or it does not answer.
    """
    credentials = Credentials(f"ws://127.0.0.1:{PORT}", "demo", secrets.token_hex(32))
    config = log.with_suffix(".yaml")
    config.write_text(
        f"port: {PORT}\n"
        'bind_addresses: ["127.0.0.1"]\n'
        f"rtc: {{tcp_port: {PORT + 1}, udp_port: {PORT + 2}, use_external_ip: false, "
        f"node_ip: {ADDRESS}}}\n"
        f"keys: {{{credentials.key}: {credentials.secret}}}\n"
        "logging: {level: warn}\n",
        encoding="utf-8",
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_executable(), "--config", str(config), "--node-ip", ADDRESS],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(process, log)
            yield credentials
        finally:
            process.terminate()
            process.wait()


def _executable() -> str:
    found = shutil.which("livekit-server")
    if found:
        return found
    go = shutil.which("go")
    if go:
        asked = subprocess.run([go, "env", "GOPATH"], capture_output=True, text=True, check=True)
        built = Path(asked.stdout.strip(), "bin", "server")
        if built.is_file():
            return str(built)
    raise ConfigError(
        "there is no livekit-server on the PATH",
        next_step="GOFLAGS=-mod=mod go install "
        "github.com/livekit/livekit-server/cmd/server@v1.13.5, or see docs.livekit.io.",
    )


def _wait(process: subprocess.Popen[bytes], log: Path, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                return
        time.sleep(0.05)
    raise ConfigError("the LiveKit server does not answer", where=str(log))
