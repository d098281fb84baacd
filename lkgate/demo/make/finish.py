"""From recorded calls to test cases: the other builds' exchanges, and the baselines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from lkgate.errors import ReplayError

BASELINE = "v1"
BUILDS = (BASELINE, "v2", "v3")


def finish(calls: Sequence[str]) -> None:
    """Let every build ask its models what the recordings do not hold, then accept ``v1``.

    Works on the project in the current directory.

    Raises:
        ReplayError: a replay did not complete; what it printed says why.
    """
    for build in BUILDS:
        # One at a time: the demo's models share the machine with nothing else, as in a call.
        _lkgate("replay", "--against", build, "--models", "record", "--no-gate", "-j", "1", *calls)
    _lkgate("replay", "--against", BASELINE, "--no-gate", *calls)
    _lkgate("accept", "--build", BASELINE, "--yes", *calls)


def _lkgate(*words: str) -> None:
    print("lkgate", *words, flush=True)
    done = subprocess.run([sys.executable, "-m", "lkgate", *words])
    if done.returncode != 0:
        raise ReplayError(f"lkgate {' '.join(words)} ended with exit code {done.returncode}")
