"""Why a loop cannot go on, in words: who waits, and where."""

from __future__ import annotations

import asyncio
import sysconfig
from types import CodeType, FrameType
from typing import Any

_LIBRARY = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), __file__.rsplit("/", 2)[0])
SHOWN = 12


class DeadlockError(RuntimeError):
    """Nothing can ever run again: no callback, timer, thread or request is left."""


class HorizonError(RuntimeError):
    """Virtual time passed the limit that was set for the call."""


def describe(loop: asyncio.AbstractEventLoop) -> str:
    """One line a pending task: its name, and where in the program it waits."""
    lines = sorted(_task_line(task) for task in asyncio.all_tasks(loop))
    more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    # The program's own lines first: that is where somebody can do something.
    lines.sort(key=lambda line: not line.startswith("!"))
    return "\n".join([line.lstrip("!") for line in lines[:SHOWN]] + more)


def _task_line(task: asyncio.Task[Any]) -> str:
    places = list(_places(task.get_coro()))
    own = [place for place in places if not place[0].startswith(_LIBRARY)]
    if own:
        file, line, function = own[-1]
        return f"!{task.get_name()}: {file}:{line} in {function}"
    if not places:
        return f"{task.get_name()}: not started"
    file, line, function = places[-1]
    return f"{task.get_name()}: {function} ({file.rsplit('/', 1)[-1]}:{line})"


def _places(awaited: object) -> Any:
    """File, line and function down the chain of awaits."""
    for _ in range(100):
        code, frame = _code_of(awaited)
        if code is None:
            return
        if frame is not None:
            yield code.co_filename, frame.f_lineno, code.co_qualname
        awaited = (
            getattr(awaited, "cr_await", None)
            or getattr(awaited, "ag_await", None)
            or getattr(awaited, "gi_yieldfrom", None)
        )


def _code_of(awaited: object) -> tuple[CodeType | None, FrameType | None]:
    for kind in ("cr", "ag", "gi"):
        code = getattr(awaited, f"{kind}_code", None)
        if code is not None:
            return code, getattr(awaited, f"{kind}_frame", None)
    return None, None
