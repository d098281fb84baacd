"""Put the virtual clock and seeded chance where a program looks for time and chance."""

from __future__ import annotations

import asyncio
import ctypes
import datetime
import gc
import multiprocessing.connection
import multiprocessing.queues
import os
import queue
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any

from lkgate.harness.time import chance, real, tasks, threads
from lkgate.harness.time.clock import Clock
from lkgate.harness.time.policy import VirtualPolicy

# Modules that wait for the machine itself: their clocks, locks and chance stay real.
_MACHINES = (
    "_thread",
    "datetime",
    "importlib",
    "lkgate.harness.time",
    "multiprocessing",
    "queue",
    "selectors",
    "subprocess",
    "threading",
    "time",
)
_ON_WALL = ("CLOCK_REALTIME", "CLOCK_REALTIME_COARSE", "CLOCK_TAI")
_ON_MONOTONIC = (
    "CLOCK_MONOTONIC",
    "CLOCK_MONOTONIC_RAW",
    "CLOCK_MONOTONIC_COARSE",
    "CLOCK_BOOTTIME",
)

_installed: Clock | None = None
_process = 0


def install(*, seed: int, started_at_unix_us: int) -> Clock:
    """Replace time, chance, threads' waits and the event loop policy of this process, for good.

    Before livekit or the program is imported; they must not have kept the real ones. What native
    code reads and draws on its own cannot be replaced, nor can the order of a set of objects that
    hash by address. A process that called this should end with ``os._exit``: threads of the
    program that wait for ever would keep it.

    Args:
        seed: of ``random``, ``secrets``, ``uuid``, ``os.urandom`` and numpy's global generator.
        started_at_unix_us: time of day at which the virtual clock begins.

    Raises:
        RuntimeError: if it was installed before.
    """
    global _installed, _process
    if _installed is not None:
        raise RuntimeError("virtual time is installed already")
    clock = _installed = Clock(started_at_unix_us=started_at_unix_us)
    _process = os.getpid()
    originals = (threading.Lock, threading.RLock, queue.SimpleQueue, asyncio.Future, os.urandom)
    threads.install(clock.scheduler)
    tasks.install()
    urandom = chance.install(clock.scheduler)
    replacements = (threads.Lock, threading.RLock, queue.SimpleQueue, asyncio.Future, urandom)
    replaced = {id(before): after for before, after in zip(originals, replacements, strict=True)}
    replaced |= _patch_time(clock)
    _rebind(replaced)
    _patch_datetime()
    asyncio.set_event_loop_policy(VirtualPolicy(clock))
    chance.seed(seed)
    return clock


def reset(clock: Clock, *, seed: int, started_at_unix_us: int) -> None:
    """Begin a new session, as in a child that was forked from a process with virtual time.

    Monotonic time does not go back. Threads that the program started stay, unless a fork lost
    them.
    """
    global _process
    if os.getpid() != _process:
        _process = os.getpid()
        clock.thread = real.get_ident()
        clock.scheduler.forget()
    clock.scheduler.horizon_ns = clock.scheduler.failure = None
    clock.restart(started_at_unix_us)
    chance.seed(seed)
    tasks.recount()


def _patch_time(clock: Clock) -> dict[int, Any]:
    """Replace the functions of ``time``; what stands for each, by the original's identity."""
    read = clock.read
    spent_ns = 0

    def wall_ns() -> int:
        return read() + clock.wall_ns

    def cpu_ns() -> int:
        nonlocal spent_ns  # work takes no virtual time; a microsecond a read keeps it increasing
        spent_ns += 1_000
        return spent_ns

    def gettime_ns(which: int) -> int:
        if which in wall_clocks:
            return wall_ns()
        return read() if which in monotonic_clocks else cpu_ns()

    def now(seconds: float | None) -> float:
        return wall_ns() / 1e9 if seconds is None else seconds

    wall_clocks = {getattr(time, name) for name in _ON_WALL if hasattr(time, name)}
    monotonic_clocks = {getattr(time, name) for name in _ON_MONOTONIC if hasattr(time, name)}
    replacements: dict[str, Callable[..., Any]] = {
        "time": lambda: (read() + clock.wall_ns) / 1e9,
        "time_ns": wall_ns,
        "monotonic": lambda: read() / 1e9,
        "monotonic_ns": lambda: read(),
        "perf_counter": lambda: read() / 1e9,
        "perf_counter_ns": lambda: read(),
        "process_time": lambda: cpu_ns() / 1e9,
        "process_time_ns": cpu_ns,
        "thread_time": lambda: cpu_ns() / 1e9,
        "thread_time_ns": lambda: cpu_ns(),
        "clock_gettime": lambda which: gettime_ns(which) / 1e9,
        "clock_gettime_ns": gettime_ns,
        "sleep": threads.sleep,
        "localtime": lambda seconds=None: real.localtime(now(seconds)),
        "gmtime": lambda seconds=None: real.gmtime(now(seconds)),
        "ctime": lambda seconds=None: real.ctime(now(seconds)),
        "asctime": lambda moment=None: real.asctime(moment or time.localtime()),
        "strftime": lambda form, moment=None: real.strftime(form, moment or time.localtime()),
    }
    machines = _machines_time()
    for module in (subprocess, multiprocessing.connection, multiprocessing.queues):
        module.time = machines  # type: ignore[attr-defined]
    queue.time = threading._time = threads.monotonic  # type: ignore[attr-defined]
    replaced = {}
    for name, replacement in replacements.items():
        replaced[id(getattr(real, name))] = replacement
        setattr(time, name, replacement)
    return replaced


def _machines_time() -> types.ModuleType:
    """The module ``time`` as it was, for those who wait for a child process."""
    kept = types.ModuleType("time")
    vars(kept).update(vars(time))
    return kept


def _patch_datetime() -> None:
    """Give ``datetime.datetime`` the virtual now.

    In the class itself, which Python does not offer for a class written in C: a class in its place
    would break ``type(x) is datetime``, pickles, and everybody who imported the name before.
    """

    def now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return cls.fromtimestamp(time.time(), tz)

    def utcnow(cls: type[datetime.datetime]) -> datetime.datetime:
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    names: Any = gc.get_referents(datetime.datetime.__dict__)[0]
    names["now"] = classmethod(now)
    names["utcnow"] = classmethod(utcnow)
    # datetime.today and date.today ask time.time() themselves.
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))


def _rebind(replaced: dict[int, Any]) -> None:
    """Change names that loaded modules took with ``from time import monotonic``."""
    for name, module in list(sys.modules.items()):
        if module is None or name.startswith(_MACHINES):
            continue
        for key, value in list(vars(module).items()):
            if id(value) in replaced:
                setattr(module, key, replaced[id(value)])
