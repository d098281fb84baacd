"""Virtual time for one process: its clock, its event loop, its threads, its chance.

``install`` must run before livekit or the agent program is imported. Then ``run`` takes a coroutine
to its end as fast as the machine can, with every sleep and timeout taking exactly as long as it
says on a clock that nobody waits for.
"""

from lkgate.harness.time.clock import Clock
from lkgate.harness.time.install import install, reset
from lkgate.harness.time.loop import VirtualLoop
from lkgate.harness.time.running import run
from lkgate.harness.time.waiting import DeadlockError, HorizonError, WorkerStuckError

__all__ = [
    "Clock",
    "DeadlockError",
    "HorizonError",
    "VirtualLoop",
    "WorkerStuckError",
    "install",
    "reset",
    "run",
]
