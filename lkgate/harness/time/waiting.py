"""Why a program cannot go on, in words: who waits, and where."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from lkgate.harness.time import frames

SHOWN = 12


class DeadlockError(RuntimeError):
    """Nothing can ever run again: no callback, timer, thread or request is left."""


class HorizonError(RuntimeError):
    """Virtual time passed the limit that was set for the call."""


class WorkerStuckError(RuntimeError):
    """A thread of the program neither ended nor waited for anything that lkgate can see."""


def describe(loop: asyncio.AbstractEventLoop | None, threads: Iterable[tuple[str, int]]) -> str:
    """One line a pending task and a waiting thread: its name, and where in the program it waits.

    Args:
        loop: whose tasks; ``None`` for no tasks.
        threads: name and identifier of each.
    """
    lines = []
    if loop is not None:
        for task in sorted(asyncio.all_tasks(loop), key=hash):
            places = list(frames.awaits(task.get_coro()))[::-1]
            lines.append((task.get_name(), places))
    running = sys._current_frames()
    for name, ident in threads:
        lines.append((f"thread {name}", list(frames.stack(running.get(ident)))))
    # The program's own lines first: that is where somebody can do something.
    lines.sort(key=lambda line: not any(frames.is_program(place[0]) for place in line[1]))
    said = [f"{name}: {frames.in_words(places)}" for name, places in lines[:SHOWN]]
    more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n".join(said + more)
