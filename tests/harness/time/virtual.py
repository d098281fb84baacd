"""Runs a program in virtual time in a process of its own: ``install`` changes the whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

PRELUDE = """
import json, sys
from lkgate.harness import time as virtual
clock = virtual.install(seed=7, started_at_unix_us=1_790_000_000_000_000)
import asyncio, concurrent.futures, datetime, os, queue, random, secrets, threading, time, uuid
begin = time.time()
def now():
    return round(time.time() - begin, 3)
def run(main, horizon_s=3600):
    return virtual.run(main, clock=clock, horizon_us=int(horizon_s * 1e6))
def show(value):
    print(json.dumps(value))
"""


def play(program: str, *, before: str = "", **environ: str) -> Any:
    """What ``program`` showed, decoded; its error output is the failure's message.

    Args:
        before: what runs before virtual time is installed.
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(before) + PRELUDE + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environ},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
