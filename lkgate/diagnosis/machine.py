"""What lkgate needs of the machine and of its own interpreter."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import lkgate
from lkgate.diagnosis.finding import Finding

OLDEST, BEYOND = (3, 11), (3, 14)
# A clock that says less was never set.
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)

_GIB = 1 << 30
# A replay of a minute takes some 5 MB, the memory of native answers up to 1 GB.
_TIGHT_BYTES, _FEW_BYTES = _GIB // 4, 2 * _GIB
_LIMIT_S = 30

_ANEW = "Install lkgate anew, in an environment of its own; if that is no help, report it."

# Run by lkgate's own interpreter, alone: the block is for good.
_BLOCKED = """
import socket, sys
from lkgate.harness.netguard import NetworkRefusedError, block
alone = block(lambda host, where: None)
try:
    socket.create_connection(("192.0.2.1", 9), 1)
except NetworkRefusedError:
    print("alone" if alone else "fenced")
"""


def interpreter(version: Sequence[int], where: str) -> Finding:
    """Whether lkgate runs in a Python that it knows.

    Args:
        version: major, minor and micro.
        where: the interpreter.
    """
    said = f"Python {'.'.join(map(str, version[:3]))} ({where})"
    if OLDEST <= tuple(version[:2]) < BEYOND:
        return Finding("interpreter", "ok", said)
    wanted = f"3.{OLDEST[1]} to 3.{BEYOND[1] - 1}"
    remedy = f"Make an environment with Python {wanted}, and install lkgate there."
    return Finding("interpreter", "wrong", f"{said}; lkgate runs in {wanted}", remedy)


def audio() -> Finding:
    """Whether FLAC is written and read as it was, and Vorbis can be written for reports."""
    try:
        import soundfile  # type: ignore[import-untyped]

        samples = np.arange(-4000, 4000, dtype=np.int16)
        held = io.BytesIO()
        soundfile.write(held, samples, 16_000, format="FLAC", subtype="PCM_16")
        held.seek(0)
        same = np.array_equal(soundfile.read(held, dtype="int16")[0], samples)
        soundfile.write(io.BytesIO(), samples, 16_000, format="OGG", subtype="VORBIS")
        version = soundfile.__libsndfile_version__
    except (ImportError, OSError, RuntimeError) as error:
        remedy = "python -m pip install --force-reinstall soundfile"
        return Finding("audio", "wrong", f"libsndfile does not work: {error}", remedy)
    if not same:
        remedy = "python -m pip install --upgrade soundfile"
        return Finding("audio", "wrong", f"libsndfile {version} does not keep FLAC whole", remedy)
    if importlib.util.find_spec("av") is None:
        remedy = "Only to import MP4 and WebM: python -m pip install 'lkgate[media]'"
        return Finding("audio", "note", f"libsndfile {version} works; no PyAV", remedy)
    return Finding("audio", "ok", f"libsndfile {version} and PyAV work")


def disk(state: Path, free_bytes: int | None = None) -> Finding:
    """Whether replays can be written, and how many.

    Args:
        state: where they go; made by the first one.
        free_bytes: there; ``None`` asks the system.
    """
    home = next(path for path in (state, *state.absolute().parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        remedy = f"Make {home} a directory that can be written to."
        return Finding("disk", "wrong", f"{home}: {error.strerror}", remedy)
    free = shutil.disk_usage(home).free if free_bytes is None else free_bytes
    said = f"{free / _GIB:.1f} GiB free at {home}"
    if free >= _FEW_BYTES:
        return Finding("disk", "ok", said)
    remedy = f"Free space there; what {state} holds can be made again."
    return Finding("disk", "wrong" if free < _TIGHT_BYTES else "note", said, remedy)


def clock(now: datetime, server: datetime | None) -> Finding:
    """Whether the wall clock is right, as far as anything tells: tokens are dated by it.

    Args:
        now: what it says.
        server: what the LiveKit server's clock said at that moment, ``None`` if it was not asked.
    """
    remedy = "Set the clock, best by NTP: LiveKit refuses tokens that are dated wrongly."
    if now < BEGAN:
        return Finding("clock", "wrong", f"it says {now:%Y-%m-%d %H:%M} UTC", remedy)
    if server is None:
        return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC (no server was asked)")
    apart_s = abs((now - server).total_seconds())
    if apart_s > 30:
        said = f"{apart_s:.0f} s from the server's"
        return Finding("clock", "wrong" if apart_s > 300 else "note", said, remedy)
    return Finding("clock", "ok", "within 30 s of the server's")


def network_block(python: str = sys.executable) -> Finding:
    """Whether a replay is kept from the network: Python's sockets, and native code's too."""
    root = str(Path(lkgate.__file__).parent.parent)
    environ = {**os.environ, "PYTHONPATH": root}
    try:
        done = subprocess.run(
            [python, "-c", _BLOCKED], env=environ, capture_output=True, text=True, timeout=_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        said = "no answer" if isinstance(error, subprocess.TimeoutExpired) else error.strerror
        return Finding("network block", "wrong", f"could not be tried: {said}", _ANEW)
    word = done.stdout.strip()
    if word == "alone":
        return Finding("network block", "ok", "a replay has no network, native code neither")
    if word == "fenced":
        return Finding(
            "network block",
            "note",
            "Python's sockets are refused; native code and subprocesses are not fenced in",
            "On Linux, allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or a "
            "container's CAP_SYS_ADMIN); elsewhere replay in a container without a network.",
        )
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return Finding("network block", "wrong", f"a connection was not refused: {last}", _ANEW)
