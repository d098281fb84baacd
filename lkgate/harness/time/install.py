"""Put the virtual clock and seeded chance where a program looks for time and chance."""

from __future__ import annotations

import asyncio
import datetime
import os
import queue
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from lkgate.harness.time import real, threads
from lkgate.harness.time.clock import Clock
from lkgate.harness.time.loop import VirtualPolicy

# Modules that wait for the machine itself: their clocks stay real.
_REAL = ("threading", "queue", "subprocess", "selectors", "multiprocessing", "lkgate.harness.time")

_installed: Clock | None = None
_chance = random.Random(0)


def install(*, seed: int, started_at_unix_us: int) -> Clock:
    """Replace time, chance and the event loop policy of this process.

    Args:
        seed: of ``random``, ``uuid.uuid4``, ``os.urandom`` and what stands on them.
        started_at_unix_us: time of day at which the virtual clock begins.

    Raises:
        RuntimeError: if it was installed before.
    """
    global _installed
    if _installed is not None:
        raise RuntimeError("virtual time is installed already")
    clock = _installed = Clock(started_at_unix_us=started_at_unix_us)
    _patch_time(clock)
    _patch_datetime()
    _patch_chance()
    threads.install(clock)
    asyncio.set_event_loop_policy(VirtualPolicy(clock))
    reset(clock, seed=seed, started_at_unix_us=started_at_unix_us)
    return clock


def reset(clock: Clock, *, seed: int, started_at_unix_us: int) -> None:
    """Begin again, in a child that was forked from a process with virtual time."""
    clock.thread = threading.get_ident()
    clock.set(started_at_unix_us)
    random.seed(seed)
    _chance.seed(seed ^ 0x5EED)
    threads.WORKERS.reset()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed(seed & 0xFFFFFFFF)


def _patch_time(clock: Clock) -> None:
    read = clock.read

    def wall_ns() -> int:
        return read() + clock.wall_ns

    replacements: dict[str, Callable[..., Any]] = {
        "time": lambda: wall_ns() / 1e9,
        "time_ns": wall_ns,
        "monotonic": lambda: read() / 1e9,
        "monotonic_ns": lambda: read(),
        "perf_counter": lambda: read() / 1e9,
        "perf_counter_ns": lambda: read(),
        "sleep": threads.sleep,
        "localtime": lambda seconds=None: real.localtime(_or_now(seconds)),
        "gmtime": lambda seconds=None: real.gmtime(_or_now(seconds)),
        "ctime": lambda seconds=None: real.ctime(_or_now(seconds)),
        "asctime": lambda moment=None: real.asctime(moment or time.localtime()),
        "strftime": lambda form, moment=None: real.strftime(form, moment or time.localtime()),
    }
    by_original = {}
    for name, replacement in replacements.items():
        by_original[id(getattr(real, name))] = replacement
        setattr(time, name, replacement)
    _rebind(by_original)
    queue.time = threading._time = threads.blocking_clock(clock)  # type: ignore[attr-defined]


def _or_now(seconds: float | None) -> float:
    return time.time() if seconds is None else seconds


class _VirtualMeta(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, real.datetime)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, real.datetime)


class VirtualDatetime(real.datetime, metaclass=_VirtualMeta):
    """``datetime.datetime`` whose now is the virtual clock's; it makes ordinary datetimes."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return real.datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return real.datetime.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return real.datetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return real.datetime.fromtimestamp(time.time())


def _patch_datetime() -> None:
    datetime.datetime = VirtualDatetime  # type: ignore[misc]
    _rebind({id(real.datetime): VirtualDatetime})


def _patch_chance() -> None:
    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=_chance.getrandbits(128), version=4)

    def urandom(size: int) -> bytes:
        return _chance.randbytes(size)

    uuid.uuid4 = uuid4
    os.urandom = urandom
    random._urandom = urandom  # type: ignore[attr-defined]
    _rebind({id(real.uuid4): uuid4, id(real.urandom): urandom})


def _rebind(replacements: dict[int, Any]) -> None:
    """Change names that loaded modules took with ``from time import monotonic``."""
    for name, module in list(sys.modules.items()):
        if module is None or name in ("time", "datetime") or name.startswith(_REAL):
            continue
        for key, value in list(vars(module).items()):
            if id(value) in replacements:
                setattr(module, key, replacements[id(value)])
