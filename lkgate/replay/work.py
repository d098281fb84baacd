"""Where a run makes its bundles before they are whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from lkgate.replay.names import file_name


def work_directory(state: Path, name: str) -> tempfile.TemporaryDirectory[str]:
    """A directory of this process, removed at its end; what killed runs left is removed now."""
    work = state / "work"
    work.mkdir(parents=True, exist_ok=True)
    ignore = state / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    for left in work.iterdir():
        # Of a run that was killed.
        owner = left.name.partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    # Short: it holds paths that a candidate may use for sockets.
    return tempfile.TemporaryDirectory(
        prefix=f"{os.getpid()}-{file_name(name)[:20]}-", dir=work, ignore_cleanup_errors=True
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
