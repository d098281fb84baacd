"""Run a coroutine to its end in virtual time."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from lkgate.harness.time.clock import NS, Clock
from lkgate.harness.time.loop import COLLECT_NS, VirtualLoop
from lkgate.harness.time.waiting import DeadlockError, HorizonError, WorkerStuckError

T = TypeVar("T")


def run(
    main: Callable[[], Coroutine[Any, Any, T]],
    *,
    clock: Clock,
    horizon_us: int,
    hybrid: bool = False,
) -> T:
    """Run a coroutine to its end in virtual time, with the garbage collector at virtual times.

    Args:
        main: makes the coroutine.
        clock: the one that ``install`` returned.
        horizon_us: virtual time that it may take.
        hybrid: real requests may be made (``--models record`` or ``live``): a thread that does not
            wait for the program is waiting for the world, and runs beside the loop at real pace.

    Raises:
        DeadlockError: nothing could ever run again.
        HorizonError: it was still running then.
        WorkerStuckError: a thread of the program ran in real time for a minute.
    """
    loop = VirtualLoop(clock)
    scheduler = clock.scheduler
    scheduler.horizon_ns = clock.now_ns + horizon_us * 1_000
    scheduler.hybrid = hybrid
    asyncio.set_event_loop(loop)
    collects = gc.isenabled()
    gc.disable()
    gc.freeze()
    loop.collect_at_ns = clock.now_ns + COLLECT_NS
    try:
        return loop.run_until_complete(main())
    finally:
        scheduler.hybrid = False
        try:
            _cancel_all(loop)
        finally:
            scheduler.horizon_ns = scheduler.failure = None
            asyncio.set_event_loop(None)
            loop.close()
            gc.unfreeze()
            if collects:
                gc.enable()


def _cancel_all(loop: VirtualLoop) -> None:
    """Cancel what is left, in order of creation, and give it one virtual minute to go."""
    scheduler = loop._scheduler
    scheduler.failure = None
    scheduler.horizon_ns = loop._clock.now_ns + 60 * NS
    tasks = sorted(asyncio.all_tasks(loop), key=hash)
    for task in tasks:
        task.cancel()
    try:
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=30))
        loop.run_until_complete(loop.shutdown_asyncgens())
    except (DeadlockError, HorizonError, WorkerStuckError):
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
