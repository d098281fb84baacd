"""Runs the tests of the virtual room in a process of their own; see ``room/conftest.py``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_virtual_room() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/harness/room", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "LKGATE_TESTS_ALONE": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
