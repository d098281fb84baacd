"""Where what native code answered is kept between replays (see ``lkgate.harness.memory``)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lkgate.replay.names import file_name

# Of one project: some six hours of calls.
MOST_BYTES = 1 << 30


def memory_of(state: Path, build: str, call: str) -> Path:
    """The directory of one call and one build, marked as used now."""
    directory = state.resolve() / "memory" / file_name(build) / file_name(call)
    if directory.is_dir():
        os.utime(directory)
    return directory


def forget(state: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Remove what was not used for the longest time, until no more than ``most_bytes`` are left."""
    found = [
        (directory.stat().st_mtime_ns, directory, sum(map(_size, directory.iterdir())))
        for directory in sorted((state / "memory").glob("*/*"))
        if directory.is_dir()
    ]
    left = sum(size for _, _, size in found)
    for _, directory, size in sorted(found):
        if left <= most_bytes:
            break
        shutil.rmtree(directory, ignore_errors=True)
        left -= size


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # another run has just removed it
        return 0
