"""Tasks and futures that hash by creation.

``set`` iterates in the order of hashes, and an ordinary object's hash is its address. Which of two
tasks in a set is cancelled first must be a matter of the program, not of the allocator.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

# Above what a program's start-up may have numbered before the count begins again.
_FIRST = 1_000_000
_count = itertools.count(1)


def _number(self: Any) -> int:
    """The hash: a number that is taken when it is first asked for, on entering the first set."""
    try:
        order: int = self._order
    except AttributeError:
        self._order = order = next(_count)
    return order


class VirtualTask(asyncio.Task[Any]):
    """``asyncio.Task`` with a hash that is the same in every run."""

    __slots__ = ("_order",)
    __hash__ = _number


_Future = asyncio.Future


class _FutureKind(type):
    """Every future counts as one: libraries ask ``isinstance(task, asyncio.Future)``."""

    def __instancecheck__(cls, other: object) -> bool:
        return cls.__subclasscheck__(type(other))

    def __subclasscheck__(cls, other: type) -> bool:
        return cls in other.__mro__ or (cls is VirtualFuture and issubclass(other, _Future))


class VirtualFuture(asyncio.Future[Any], metaclass=_FutureKind):
    """``asyncio.Future`` with a hash that is the same in every run."""

    __slots__ = ("_order",)
    __hash__ = _number


def install() -> None:
    """Make futures of this kind wherever a program makes one, in this process, for good."""
    library: Any = asyncio
    library.Future = library.futures.Future = VirtualFuture
    library.tasks._GatheringFuture.__hash__ = _number


def recount() -> None:
    """Number from the beginning, in a process that may have been forked from a busy one."""
    global _count
    _count = itertools.count(_FIRST)
