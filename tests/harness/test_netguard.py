"""The network is refused by name, at once; what stays on the machine is not."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

PROGRAM = """
    import asyncio, json, socket, threading
    from lkgate.harness import netguard
    refused = []
    netguard.block(lambda host, where: refused.append([host, where is not None]))
    def attempt(call):
        try:
            call()
        except netguard.NetworkRefusedError as error:
            return error.host
    async def connect():
        await asyncio.open_connection("api.example.com", 443)
    seen = [
        attempt(lambda: socket.create_connection(("models.example.com", 443))),
        attempt(lambda: socket.getaddrinfo("example.com", 80)),
        attempt(lambda: socket.socket().connect(("10.0.0.1", 9))),
        attempt(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("10.0.0.2", 53))),
        attempt(lambda: asyncio.run(connect())),
    ]
    one, other = socket.socketpair()
    one.send(b"hello")
    print(json.dumps([seen, refused, other.recv(5).decode()]))
"""


def test_every_way_out_is_refused_by_name() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    seen, refused, pair = json.loads(done.stdout)
    assert seen == [
        "models.example.com:443",
        "example.com:80",
        "10.0.0.1:9",
        "10.0.0.2:53",
        "api.example.com:443",
    ]
    assert [host for host, _ in refused] == seen
    assert pair == "hello"


def test_the_message_says_who_asked(tmp_path: object) -> None:
    from pathlib import Path

    program = Path(str(tmp_path)) / "agent.py"
    program.write_text(
        "import socket\n"
        "from lkgate.harness import netguard\n"
        "netguard.block(lambda host, where: None)\n"
        "try:\n"
        "    socket.create_connection(('api.example.com', 443))\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout == (
        f"lkgate refused the network: api.example.com:443 ({program}:5); a replay has none\n"
    )
