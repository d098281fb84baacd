"""``watch_rooms``: a server's rooms recorded as they appear, until somebody says stop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from lkgate.record import server as livekit_server
from lkgate.record.calllog import CallLog, now_unix_us
from lkgate.record.hook import Hook
from lkgate.record.ledger import ledger
from lkgate.record.options import OnWarning, RecordOptions
from lkgate.record.retention import Limits
from lkgate.record.schedule import Schedule
from lkgate.record.shelf import Shelf
from lkgate.record.stop import signals, unless
from lkgate.record.unfinished import recover
from lkgate.record.usecase import record_room
from lkgate.record.watch import Watch
from lkgate.record.webhook import listen

_KEEP_ALL = Limits()


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What to record of a server.

    Attributes:
        patterns: of the names of rooms; see ``Schedule``.
        sample_ratio: the share of names to record.
        max_rooms: recorded at once; those that wait for consent do not count.
        room: as every room is recorded: its ``room`` is not used, and its ``out`` is the directory
            into which the bundles go.
        limits: of what stays in that directory.
        hook: run for every bundle.
        webhook: host and port to listen on for the server's webhooks; ``None``: it is only asked.
        poll_seconds: between two questions.
    """

    patterns: tuple[str, ...]
    room: RecordOptions
    sample_ratio: float = 1.0
    max_rooms: int = 8
    limits: Limits = _KEEP_ALL
    hook: Hook | None = None
    webhook: tuple[str, int] | None = None
    poll_seconds: float = 1.0


async def watch_rooms(
    options: WatchOptions,
    *,
    log: CallLog,
    made: Callable[[Path], None],
    stop: asyncio.Event | None = None,
) -> int:
    """Record rooms until ``stop`` is set or, without it, the first SIGINT or SIGTERM; then close
    every recording. How many of them could not be closed: ``lkgate recover`` may.

    Args:
        options: which, and how.
        log: of every call, and of what happens besides.
        made: called with the path of each bundle when it is whole.
        stop: ends it from elsewhere.

    Raises:
        ConfigError: another recorder writes into the directory, or the webhook's address is taken.
        RecordError: at the beginning, the server does not answer, or not to this key.
        OSError: the directory cannot be written.
    """
    credentials = options.room.credentials
    # A thread for each room's disk, and some for closing: nobody waits for another's.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2 * options.max_rooms + 4))
    wake = asyncio.Event()

    async def record(
        room: str,
        out: Path,
        *,
        stop: asyncio.Event,
        on_warning: OnWarning,
        may_begin: Callable[[], bool],
    ) -> Path:
        one = replace(options.room, room=room, out=out, room_wait_us=0)
        return await record_room(one, stop=stop, on_warning=on_warning, may_begin=may_begin)

    async with AsyncExitStack() as stack:
        if stop is None:
            stop = asyncio.Event()
            stack.enter_context(signals(stop))
        book = stack.enter_context(ledger(options.room.out))
        server = await unless(stop, stack.enter_async_context(livekit_server.connect(credentials)))
        if server is None:
            return 0
        if options.webhook is not None:
            await stack.enter_async_context(
                listen(
                    *options.webhook,
                    credentials,
                    wake=wake,
                    on_refused=lambda who: log.line("webhook_refused", sender=who),
                )
            )
        log.line(
            "watching",
            server=credentials.url,
            rooms=list(options.patterns),
            sample=options.sample_ratio,
            max_rooms=options.max_rooms,
            out=str(options.room.out),
        )
        shelf = Shelf(
            ledger=book,
            limits=options.limits,
            recover=recover,
            hook=options.hook,
            log=log,
            printed=made,
            environ=os.environ,
            now_unix_us=now_unix_us,
            stamp=lambda: time.strftime("%Y%m%d-%H%M%S"),
        )
        schedule = Schedule(
            options.patterns,
            ratio=options.sample_ratio,
            max_rooms=options.max_rooms,
            waits=options.room.consent is not None,
        )
        watch = Watch(
            schedule,
            rooms=server.rooms,
            record=record,
            shelf=shelf,
            log=log,
            poll_seconds=options.poll_seconds,
        )
        lost = await watch.run(stop, wake)
        log.line("stopped", lost=lost)
        return lost
