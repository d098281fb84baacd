"""What a live test started does not outlive it."""

from __future__ import annotations

import subprocess
import sys

from tests.live.agents.workers import BOUND

# Starts what is bound to it. Both hold standard output, which ends with the last of them.
PARENT = """
import os, subprocess, sys, time
child = ["sh", "-c", "echo up; exec sleep 300"]
subprocess.Popen([sys.executable, sys.argv[1], str(os.getpid()), *child])
time.sleep(300)
"""


def test_who_is_killed_takes_along_what_it_started() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, BOUND], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout as told:
        assert told.readline() == b"up\n"
        parent.kill()
        parent.wait()
        assert told.read() == b""
