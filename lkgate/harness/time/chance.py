"""Seeded chance, wherever a program looks for it."""

from __future__ import annotations

import os
import random
import sys
import uuid
from collections.abc import Callable
from typing import Any

from lkgate.harness.time import real
from lkgate.harness.time.scheduler import Scheduler

_stream = real.Random(0)
_seed_of_random = real.Random.seed
# A locally administered address, for uuid1: the machine's own would tell machines apart.
_NODE = 0x02_00_00_00_00_01


def install(scheduler: Scheduler) -> Callable[[int], bytes]:
    """Replace what ``random``, ``secrets``, ``uuid`` and ``os.urandom`` draw from.

    Threads that take no turns with the program keep the machine's chance: they would take
    numbers away from it at times of their own.

    Returns:
        What stands for ``os.urandom`` now.
    """

    def urandom(size: int, /) -> bytes:
        if scheduler.current() is None:
            return real.urandom(size)
        return _stream.randbytes(size)

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None and scheduler.current() is not None:
            a = _stream.getrandbits(256)
        _seed_of_random(self, a, version)

    system: Any = os
    system.urandom = urandom
    library: Any = random
    library._urandom = urandom
    library.Random.seed = seed
    unique: Any = uuid
    unique._generate_time_safe = unique._UuidCreate = None  # they read the machine's clock
    unique._node = _NODE
    return urandom


def seed(number: int) -> None:
    """Begin again, from this number."""
    _seed_of_random(_stream, number ^ 0x5EED)
    random.seed(number)
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed(number & 0xFFFFFFFF)
