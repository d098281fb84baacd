"""With ``--models cassette`` the network is closed before the program is loaded."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lkgate.harness import netguard
from tests.harness.program import replay
from tests.harness.program.replay import plan_and_pcm

ASKS = """
import socket
def ask():
    socket.create_connection(("crm.example.com", 443))
"""
SERVES = """
from livekit.agents import AgentServer
server = AgentServer()
@server.rtc_session()
async def answer(ctx):
    pass
"""
SWALLOWS = """
import subprocess, sys
def refused():
    try:
        ask()
    except OSError as error:
        print("got", type(error).__name__)
    child = "print('devices', *[l.split(':')[0] for l in open('/proc/self/net/dev') if ':' in l])"
    subprocess.run([sys.executable, "-S", "-c", child])
refused()
"""
LEAVES_A_THREAD = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""


def start(work: Path, source: str, models: str = "cassette") -> replay.Program:
    (work / "agent.py").write_text(textwrap.dedent(source))
    return replay.start(work, "agent.py", cwd=work, models=models)


def test_a_program_that_needs_it_does_not_load(tmp_path: Path) -> None:
    program = start(tmp_path, ASKS + "ask()\n" + SERVES)
    program.server.kill()
    assert program.ready["op"] == "failed"
    error = program.ready["error"]
    assert error["kind"] == "build_import"
    assert "lkgate refused the network: crm.example.com:443" in error["message"]
    assert error["where"] == f"{tmp_path / 'agent.py'}:4"
    assert error["next_step"].startswith("A replay has no network")


@pytest.mark.parametrize("more", ["", LEAVES_A_THREAD], ids=["nursery", "each call loads"])
def test_one_that_swallows_it_loads_and_its_children_have_none(tmp_path: Path, more: str) -> None:
    program = start(tmp_path, ASKS + SWALLOWS + more + SERVES)
    assert program.ready["op"] == "ready", program.ready
    program.server.output.drain()
    printed = [program.server.output.text()]
    if more:
        printed.append(program.call(caller=plan_and_pcm([0.6])).printed)
    program.server.kill()
    for text in printed:
        assert "got NetworkRefusedError" in text
        if isolates():
            assert [line.split() for line in text.splitlines() if "devices" in line] == [
                ["devices", "lo"]
            ]


def isolates() -> bool:
    """Whether this system permits it, asked in a process of its own."""
    asked = f"from {netguard.__name__} import isolate; raise SystemExit(not isolate())"
    return subprocess.run([sys.executable, "-c", asked]).returncode == 0
