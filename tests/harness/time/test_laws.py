"""A program of sleeps, tasks, queues and timeouts does on the virtual loop what it does in life."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate.harness.time import Clock, run

Trace = list[tuple[int, str]]
Step = tuple[Any, ...]


class _FakeSelector(selectors.DefaultSelector):
    """Passes the time that a wait takes, at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.now += timeout
        return super().select(0)


class _OrdinaryLoop(asyncio.SelectorEventLoop):
    """CPython's own loop; only its waits take no time.

    Its heap leaves open which of two timers of one instant fires first: a picosecond settles it.
    """

    def __init__(self) -> None:
        self._fake = _FakeSelector()
        self._set = 0
        super().__init__(self._fake)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        self._set += 1
        return super().call_at(when + self._set * 1e-12, callback, *args, context=context)

    def time(self) -> float:
        return self._fake.now


def ordinary(program: list[Step]) -> Trace:
    with asyncio.Runner(loop_factory=_OrdinaryLoop) as runner:
        return runner.run(play(program))


def virtual(program: list[Step]) -> Trace:
    clock = Clock(started_at_unix_us=0)
    return run(lambda: play(program), clock=clock, horizon_us=10**12)


async def play(program: list[Step]) -> Trace:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    trace: Trace = []
    queue: asyncio.Queue[str] = asyncio.Queue(2)
    lock = asyncio.Lock()
    event = asyncio.Event()

    def note(what: str) -> None:
        trace.append((round((loop.time() - begin) * 1e6), what))

    async def go(steps: list[Step], name: str) -> None:
        children = []
        for number, step in enumerate(steps):
            label = f"{name}.{number}"
            kind, amount = step[0], step[1]
            try:
                if kind == "sleep":
                    await asyncio.sleep(amount / 1000)
                elif kind == "call":
                    loop.call_later(amount / 1000, note, f"{label} called")
                elif kind == "task":
                    children.append(asyncio.create_task(go(step[2], label)))
                elif kind == "timeout":
                    await asyncio.wait_for(go(step[2], label), amount / 1000)
                elif kind == "put":
                    await asyncio.wait_for(queue.put(label), amount / 1000)
                elif kind == "get":
                    note(f"{label} got {await asyncio.wait_for(queue.get(), amount / 1000)}")
                elif kind == "lock":
                    async with lock:
                        await asyncio.sleep(amount / 1000)
                elif kind == "set":
                    event.set()
                elif kind == "wait":
                    await asyncio.wait_for(event.wait(), amount / 1000)
                elif kind == "cancel" and children:
                    children[amount % len(children)].cancel()
                note(label)
            except TimeoutError:
                note(f"{label} timed out")
            except asyncio.CancelledError:
                note(f"{label} cancelled")
                raise
        await asyncio.gather(*children, return_exceptions=True)

    await go(program, "")
    return list(trace)  # not what the end of the loop adds


def steps(depth: int) -> st.SearchStrategy[list[Step]]:
    amount = st.integers(0, 2000)
    plain = st.tuples(
        st.sampled_from(["sleep", "call", "put", "get", "lock", "set", "wait", "cancel"]), amount
    )
    if depth == 0:
        return st.lists(plain, max_size=4)
    nested = st.tuples(st.sampled_from(["task", "timeout"]), amount, steps(depth - 1))
    return st.lists(plain | nested, max_size=5)


@settings(max_examples=150)
@given(steps(3))
def test_a_program_leaves_the_same_trace_as_on_an_ordinary_loop(program: list[Step]) -> None:
    assert virtual(program) == ordinary(program)


@settings(max_examples=60)
@given(steps(3))
def test_a_program_leaves_the_same_trace_every_time(program: list[Step]) -> None:
    assert virtual(program) == virtual(program)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 5), max_size=60), st.sets(st.integers(0, 59)))
def test_timers_fire_by_time_and_then_by_when_they_were_set(
    delays: list[int], cancelled: set[int]
) -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        fired: list[int] = []
        now = loop.time()
        handles = [
            loop.call_at(now + delay, fired.append, number) for number, delay in enumerate(delays)
        ]
        for number in cancelled:
            if number < len(handles):
                handles[number].cancel()
        await asyncio.sleep(10)
        return fired

    kept = [number for number in range(len(delays)) if number not in cancelled]
    assert run(main, clock=Clock(started_at_unix_us=0), horizon_us=10**9) == sorted(
        kept, key=lambda number: delays[number]
    )
