"""What of CPython's own is private and used here: which version took it away, and what needs it."""

from __future__ import annotations

import asyncio
import concurrent.futures.process
import concurrent.futures.thread
import datetime
import gc
import inspect
import multiprocessing.connection
import multiprocessing.queues
import queue
import random
import selectors
import subprocess
import sys
import threading
import uuid
from typing import Any

import pytest

VERSION = ".".join(map(str, sys.version_info[:3]))


def gone(what: str, user: str) -> str:
    return f"Python {VERSION} has no {what}; {user} stands on it"


@pytest.mark.parametrize(
    ("owner", "name", "user"),
    [
        (threading, "_allocate_lock", "time.threads (locks of conditions)"),
        (threading, "_CRLock", "time.threads (RLock)"),
        (threading, "_PyRLock", "time.threads (RLock)"),
        (threading, "_time", "time.install (timeouts)"),
        (queue, "time", "time.install (timeouts)"),
        (queue, "_PySimpleQueue", "time.threads (SimpleQueue)"),
        (random, "_urandom", "time.chance (secrets)"),
        (uuid, "_generate_time_safe", "time.chance (uuid1)"),
        (uuid, "_UuidCreate", "time.chance (uuid1)"),
        (uuid, "_node", "time.chance (uuid1)"),
        (subprocess, "time", "time.install (waits for child processes)"),
        (multiprocessing.connection, "time", "time.install (waits for child processes)"),
        (multiprocessing.queues, "time", "time.install (waits for child processes)"),
        (asyncio.tasks, "_GatheringFuture", "time.tasks (hashes)"),
        (asyncio.BaseEventLoop, "_run_once", "time.loop"),
        (asyncio.BaseEventLoop, "_check_closed", "time.loop"),
        (asyncio.BaseEventLoop, "_timer_handle_cancelled", "time.loop"),
        (asyncio.SelectorEventLoop, "_process_events", "time.loop (real sockets)"),
        (asyncio.SelectorEventLoop, "_write_to_self", "time.loop (unknown threads)"),
        (asyncio.SelectorEventLoop, "_make_subprocess_transport", "time.loop (processes)"),
        (asyncio.SelectorEventLoop, "_child_watcher_callback", "time.loop (processes)"),
    ],
)
def test_a_private_name_is_there(owner: Any, name: str, user: str) -> None:
    assert hasattr(owner, name), gone(f"{owner.__name__}.{name}", user)


def test_a_loop_has_the_parts_that_ours_replaces() -> None:
    loop: Any = asyncio.SelectorEventLoop()
    try:
        for name in ("_ready", "_scheduled", "_stopping", "_closed", "_timer_cancelled_count"):
            assert hasattr(loop, name), gone(f"loop.{name}", "time.loop")
        files = loop._selector._fd_to_key
        assert len(files) == 1, f"Python {VERSION}: a new loop has more than its own bell"
    finally:
        loop.close()
    assert hasattr(selectors, "DefaultSelector")


@pytest.mark.parametrize(
    ("kind", "slots"),
    [
        (
            asyncio.Handle,
            {"_callback", "_args", "_cancelled", "_loop", "_source_traceback", "_repr", "_context"},
        ),
        (asyncio.TimerHandle, {"_scheduled", "_when"}),
    ],
)
def test_a_handle_has_just_the_slots_that_ours_fills(kind: Any, slots: set[str]) -> None:
    found = set(kind.__slots__) - {"__weakref__"}
    assert found == slots, f"Python {VERSION} changed {kind.__name__}; time.handles fills its slots"


def test_everything_that_blocks_stands_on_the_lock() -> None:
    for kind in (threading.Event, threading.Semaphore, threading.Barrier, queue.Queue):
        source = inspect.getsource(kind.__init__)
        assert "Condition(" in source, f"Python {VERSION}: {kind.__name__} waits in another way"
    source = inspect.getsource(threading.Condition.wait)
    assert "_allocate_lock()" in source, f"Python {VERSION}: conditions wait in another way"
    source = inspect.getsource(concurrent.futures.thread.ThreadPoolExecutor)
    assert "queue.SimpleQueue()" in source, f"Python {VERSION}: pools wait in another way"


def test_a_threads_life_can_be_taken_over() -> None:
    source = inspect.getsource(threading.Thread._bootstrap_inner)  # type: ignore[attr-defined]
    assert "self.run()" in source, f"Python {VERSION}: Thread.run is not what a thread runs"
    assert "self._started.set()" in source, f"Python {VERSION}: a thread tells otherwise it runs"
    assert concurrent.futures.process.ProcessPoolExecutor.__module__ == "concurrent.futures.process"


def test_the_class_datetime_can_be_given_another_now() -> None:
    names = gc.get_referents(datetime.datetime.__dict__)
    assert isinstance(names[0], dict), f"Python {VERSION} hides what is in a class"
    assert "now" in names[0]


def test_to_thread_hands_over_a_partial_of_a_contexts_run() -> None:
    source = inspect.getsource(asyncio.to_thread)
    assert "functools.partial(ctx.run, func" in source, gone("that partial", "time.jobs.is_pure")
