"""The network is refused by name, at once; what stays on the machine is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def run(program: str, file: Path) -> Any:
    """What the program printed as JSON; it is a file of its own, so that it has lines."""
    file.write_text(textwrap.dedent(program))
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    return tmp_path / "agent.py"


def test_every_way_out_is_refused_by_name(agent: Path) -> None:
    seen, refused, pair, listening = run(
        """
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
        async def datagrams():
            await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=("10.0.0.3", 5))
        def in_a_thread():
            thread = threading.Thread(target=lambda: seen.append(attempt(
                lambda: socket.create_connection(("thread.example.com", 80)))))
            thread.start()
            thread.join()
        packets = socket.socket(type=socket.SOCK_DGRAM)
        seen = [
            attempt(lambda: socket.create_connection(("models.example.com", 443))),
            attempt(lambda: socket.getaddrinfo("example.com", 80)),
            attempt(lambda: socket.gethostbyname("old.example.com")),
            attempt(lambda: socket.gethostbyaddr("10.0.0.9")),
            attempt(lambda: socket.socket().connect(("10.0.0.1", 9))),
            attempt(lambda: socket.socket(socket.AF_INET6).connect_ex(("::1", 9))),
            attempt(lambda: packets.sendto(b"x", ("10.0.0.2", 53))),
            attempt(lambda: packets.sendmsg([b"x"], [], 0, ("10.0.0.2", 54))),
            attempt(lambda: asyncio.run(connect())),
            attempt(lambda: asyncio.run(datagrams())),
        ]
        in_a_thread()
        one, other = socket.socketpair()
        one.send(b"hello")
        server = socket.create_server(("127.0.0.1", 0))
        print(json.dumps([seen, refused, other.recv(5).decode(), server.getsockname()[0]]))
        """,
        agent,
    )
    assert seen == [
        "models.example.com:443",
        "example.com:80",
        "old.example.com",
        "10.0.0.9",
        "10.0.0.1:9",
        "[::1]:9",
        "10.0.0.2:53",
        "10.0.0.2:54",
        "api.example.com:443",
        "10.0.0.3:5",
        "thread.example.com:80",
    ]
    assert refused == [[host, True] for host in seen]
    assert (pair, listening) == ("hello", "127.0.0.1")


def test_the_message_says_who_asked(agent: Path) -> None:
    assert run(
        """
        import json, socket
        from lkgate.harness import netguard
        netguard.block(lambda host, where: None)
        try:
            socket.create_connection(('api.example.com', 443))
        except OSError as error:
            print(json.dumps(error.strerror))
        """,
        agent,
    ) == (f"lkgate refused the network: api.example.com:443 ({agent}:6); a replay has none")


def test_a_library_with_tasks_of_its_own_is_refused_at_the_programs_line(agent: Path) -> None:
    told, error = run(
        """
        import asyncio, json
        from lkgate.harness import netguard
        import aiohttp
        told = []
        netguard.block(lambda host, where: told.append([host, where]))
        async def ask():
            async with aiohttp.ClientSession() as session:
                await session.post("https://api.example.com/v1/chat", json={})
        try:
            asyncio.run(ask())
        except aiohttp.ClientError as error:
            print(json.dumps([told, str(error)]))
        """,
        agent,
    )
    assert told == [["api.example.com:443", f"{agent}:9"]]
    assert error == (
        "Cannot connect to host api.example.com:443 ssl:default "
        f"[lkgate refused the network: api.example.com:443 ({agent}:9); a replay has none]"
    )


def test_a_name_imported_before_is_refused_too(agent: Path) -> None:
    assert (
        run(
            """
        import json
        from socket import getaddrinfo
        from lkgate.harness import netguard
        netguard.block(lambda host, where: None)
        try:
            getaddrinfo("example.com", 80)
        except netguard.NetworkRefusedError as error:
            print(json.dumps(error.host))
        """,
            agent,
        )
        == "example.com:80"
    )


def test_native_code_finds_no_network_where_the_system_permits(agent: Path) -> None:
    isolated, devices, user, readable = run(
        """
        import json, os, pathlib
        from lkgate.harness import netguard
        before = os.getuid()
        isolated = netguard.block(lambda host, where: None)
        names = sorted(line.split(":")[0].strip()
                       for line in pathlib.Path("/proc/self/net/dev").read_text().splitlines()[2:])
        print(json.dumps([isolated, names, os.getuid() == before, os.access(__file__, os.R_OK)]))
        """,
        agent,
    )
    assert user
    assert readable
    if isolated:
        assert devices == ["lo"]


def test_another_call_replaces_who_is_told(agent: Path) -> None:
    assert run(
        """
        import json, socket
        from lkgate.harness import netguard
        first, second = [], []
        netguard.block(lambda host, where: first.append(host))
        netguard.block(lambda host, where: second.append(host))
        try:
            socket.getaddrinfo("example.com", 80)
        except OSError:
            print(json.dumps([first, second]))
        """,
        agent,
    ) == [[], ["example.com:80"]]
