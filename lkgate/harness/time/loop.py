"""The event loop that jumps from timer to timer."""

from __future__ import annotations

import asyncio
import collections
import gc
import heapq
import itertools
import selectors
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from lkgate.harness.time.clock import NS, Clock
from lkgate.harness.time.threads import WORKERS, WorkerLoop
from lkgate.harness.time.waiting import DeadlockError, HorizonError, describe

T = TypeVar("T")

# Functions of these modules are quick, pure native inference: run where they are asked for.
_INLINE = (
    "livekit.agents.inference",
    "livekit.local_inference",
    "livekit.plugins.silero",
    "livekit.plugins.turn_detector",
)
# Real seconds without anything to do before a loop with a native thread counts as stuck.
_GRACE_S = 3.0

_count = itertools.count(1)


class _Task(asyncio.Task[Any]):
    """Hashes by creation: the order of a set of tasks does not depend on addresses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._order = next(_count)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._order

    def set_name(self, value: object) -> None:
        if value is not None:  # Python 3.13.0 sets the name that was not given
            super().set_name(value)


class _Future(asyncio.Future[Any]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._order = next(_count)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._order


def _make_task(loop: Any, coro: Any, **kwargs: Any) -> _Task:
    return _Task(coro, loop=loop, **kwargs)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready; when nothing is, moves the clock to the next timer.

    The order of everything is a function of the program alone. When the loop has nothing ready, it
    does the first of these that there is: take callbacks from threads; let one waiting worker
    thread run until it waits again; take events of real sockets; wait at real pace while a real
    request is out; jump to the next timer; raise :class:`DeadlockError`.
    """

    def __init__(self, clock: Clock, *, horizon_us: int | None = None) -> None:
        super().__init__(selectors.DefaultSelector())
        self._clock = clock
        self._clock_resolution = 1e-9
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._timer_count = 0
        self._inbox: collections.deque[asyncio.Handle] = collections.deque()
        self._real = 0
        self.horizon_ns = None if horizon_us is None else clock.now_ns + horizon_us * 1_000
        self.set_task_factory(_make_task)

    # -- time

    def time(self) -> float:
        return self._clock.peek() / NS

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        timer._scheduled = True  # type: ignore[attr-defined]
        self._timer_count += 1
        heapq.heappush(self._timers, (round(when * NS), self._timer_count, timer))
        return timer

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._clock.peek() / NS + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._cancelled += 1
        if self._cancelled > 100 and self._cancelled * 2 > len(self._timers):
            self._timers = [entry for entry in self._timers if not entry[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled = 0

    _cancelled = 0

    def create_future(self) -> asyncio.Future[Any]:
        return _Future(loop=self)

    # -- real requests

    def real_begin(self) -> None:
        """A real request is out: until :meth:`real_end` the clock runs at the machine's pace."""
        self._real += 1
        if self._real == 1:
            self._clock.anchor()

    def real_end(self) -> None:
        """The request came back."""
        self._real -= 1
        if self._real == 0:
            self._clock.release()

    # -- threads

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() == self._clock.thread:
            return self.call_soon(callback, *args, context=context)
        self._check_closed()  # type: ignore[attr-defined]
        handle = asyncio.Handle(callback, args, self, context)
        self._inbox.append(handle)
        if WORKERS.current() is None:  # a native or unknown thread: the loop may be in select()
            self._write_to_self()  # type: ignore[attr-defined]
        return handle

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        self._check_closed()  # type: ignore[attr-defined]
        future = self.create_future()
        inner = getattr(func, "func", func)  # to_thread hands over partial(context.run, func)
        if inner.__class__.__name__ == "builtin_function_or_method" and getattr(func, "args", ()):
            inner = func.args[0]  # type: ignore[attr-defined]
        module = (
            getattr(inner, "__module__", None) or type(getattr(inner, "__self__", 0)).__module__
        )
        if module.startswith(_INLINE) and not _blocks(inner):
            self.call_soon(_settle, future, *_outcome(func, args))
        else:
            WORKERS.spawn(
                lambda: _outcome(func, args),
                lambda outcome: self.call_soon_threadsafe(_settle, future, *outcome),
                executor=executor,
            )
        return future

    # -- the heart

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        clock = self._clock
        if clock.anchored:
            clock.sync()
        if not ready and not self._stopping:  # type: ignore[attr-defined]
            self._wait()
        elif len(self._selector.get_map()) > 1 or clock.anchored:  # type: ignore[attr-defined]
            self._process_events(self._selector.select(0))  # type: ignore[attr-defined]
        timers = self._timers
        now = clock.peek()
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            if timer._cancelled:
                self._cancelled -= 1
            else:
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _wait(self) -> None:
        """Nothing is ready: bring about the next thing."""
        ready = self._ready  # type: ignore[attr-defined]
        selector = self._selector  # type: ignore[attr-defined]
        while True:
            if self._inbox:
                while self._inbox:
                    ready.append(self._inbox.popleft())
                return
            if WORKERS.step():
                continue
            if len(selector.get_map()) > 1:
                self._process_events(selector.select(0))  # type: ignore[attr-defined]
                if ready:
                    return
            when = self._next_ns()
            if self._real:
                pause = None if when is None else max(0.0, (when - self._clock.peek()) / NS)
                self._process_events(selector.select(pause))  # type: ignore[attr-defined]
                self._clock.sync()
                if ready or self._inbox:
                    continue_with_inbox = bool(self._inbox)
                    if not continue_with_inbox:
                        return
                    continue
                when = self._next_ns()
                if when is not None and when <= self._clock.peek():
                    WORKERS.fire(self._clock.peek())
                    return
                continue
            if when is None:
                self._process_events(selector.select(_GRACE_S))  # type: ignore[attr-defined]
                if ready or self._inbox:
                    continue
                raise DeadlockError(
                    "everything waits for something that can never come:\n" + describe(self)
                )
            if self.horizon_ns is not None and when > self.horizon_ns:
                raise HorizonError("still running at the limit:\n" + describe(self))
            self._clock.advance_to(when)
            if not WORKERS.fire(when):
                return

    def _next_ns(self) -> int | None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
            self._cancelled -= 1
        own = timers[0][0] if timers else None
        other = WORKERS.next_ns()
        if own is None or other is None:
            return own if other is None else other
        return min(own, other)

    async def _make_subprocess_transport(self, *args: Any, **kwargs: Any) -> Any:
        """A child process is the machine's: while it runs, so does the clock, at real pace."""
        self.real_begin()
        try:
            transport = await super()._make_subprocess_transport(*args, **kwargs)  # type: ignore[misc]
        except BaseException:
            self.real_end()
            raise
        exited = transport._process_exited

        def process_exited(returncode: int) -> None:
            self.real_end()
            exited(returncode)

        transport._process_exited = process_exited
        if transport._returncode is not None:
            self.real_end()
        return transport


def _blocks(function: Any) -> bool:
    return getattr(function, "__name__", "") == "_decode_loop"


def _outcome(func: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
    try:
        return func(*args), None
    except BaseException as error:  # noqa: BLE001 - handed to whoever awaits the future
        return None, error


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


class VirtualPolicy(asyncio.DefaultEventLoopPolicy):
    """Gives a :class:`VirtualLoop` on the main thread, and a loop that parks on any other."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._virtual = clock

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        if threading.get_ident() == self._virtual.thread:
            return VirtualLoop(self._virtual)
        return WorkerLoop()


def run(main: Callable[[], Coroutine[Any, Any, T]], *, clock: Clock, horizon_us: int) -> T:
    """Run a coroutine to its end in virtual time.

    Args:
        main: makes the coroutine.
        clock: the one that ``install`` returned.
        horizon_us: virtual time that it may take.

    Raises:
        DeadlockError: nothing could ever run again.
        HorizonError: it was still running then.
    """
    loop = VirtualLoop(clock, horizon_us=horizon_us)
    asyncio.set_event_loop(loop)
    collect = gc.isenabled()
    gc.disable()
    try:
        with WORKERS.driven_by(loop):
            return loop.run_until_complete(main())
    finally:
        loop.horizon_ns = None
        try:
            _cancel_all(loop)
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            if collect:
                gc.enable()


def _cancel_all(loop: VirtualLoop) -> None:
    """Cancel what is left, in order of creation, and give it one virtual minute to go."""
    tasks = sorted(asyncio.all_tasks(loop), key=hash)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.horizon_ns = loop._clock.now_ns + 60 * NS
        try:
            with WORKERS.driven_by(loop):
                loop.run_until_complete(asyncio.wait(tasks, timeout=30))
        except (DeadlockError, HorizonError):
            return
    loop.run_until_complete(loop.shutdown_asyncgens())
