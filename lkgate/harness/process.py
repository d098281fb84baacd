"""What a process of the fork server does to itself. POSIX; parts of it are Linux' alone."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# One thread for each: the calls themselves run in parallel, and sums come out in one order.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def single_threaded() -> None:
    """Before numpy and its kind are imported."""
    for name in _ONE_THREAD:
        os.environ[name] = "1"


def die_with_parent(parent: int) -> None:
    """Be killed when the process ``parent``, which forked this one, ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was faster
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of what a child leaves behind, so that it can still be found."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def leave_no_core() -> None:
    """A crash of the program needs no dump of its memory."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def own_group() -> None:
    """Lead a process group, so that whatever this one starts can be killed with it."""
    with contextlib.suppress(PermissionError):
        os.setpgid(0, 0)


def print_to(pipe: Path) -> None:
    """From here on standard output and error go into the named pipe, if there is one."""
    if not pipe.exists():
        return
    fd = os.open(pipe, os.O_WRONLY)
    for standard in (1, 2):
        os.dup2(fd, standard)
    os.close(fd)


def threads() -> int:
    """Threads of this process, native ones too. 1 where they cannot be counted."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        import threading

        return threading.active_count()


def peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round(usage.ru_utime + usage.ru_stime, 3)


def flush() -> None:
    """What was printed must not be lost by ``os._exit``, nor a closed pipe be an error."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
