"""The virtual loop: timers, order, waiting for ever, the end of time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.harness.time.virtual import play


def test_sleeps_take_their_time_and_no_other() -> None:
    assert play("""
        async def main():
            seen = []
            async def tick(name, count, pause):
                for _ in range(count):
                    await asyncio.sleep(pause)
                    seen.append([name, now()])
            await asyncio.gather(tick("a", 2, 1), tick("b", 3, 0.75))
            return seen
        show(run(main))
    """) == [["b", 0.75], ["a", 1.0], ["b", 1.5], ["a", 2.0], ["b", 2.25]]


def test_timers_of_one_instant_fire_in_the_order_they_were_set() -> None:
    assert play("""
        async def main():
            loop, seen = asyncio.get_running_loop(), []
            when = loop.time() + 1
            for number in range(50):
                loop.call_at(when, seen.append, number)
            await asyncio.sleep(2)
            return seen == list(range(50))
        show(run(main))
    """)


def test_half_an_hour_of_ticks_ends_to_the_microsecond() -> None:
    assert (
        play("""
        async def main():
            loop = asyncio.get_running_loop()
            start = loop.time()
            for _ in range(180_000):
                await asyncio.sleep(0.01)
            return round((loop.time() - start - 1800) * 1e6)
        show(run(main))
    """)
        == 0
    )


def test_clock_reads_strictly_increase() -> None:
    assert play("""
        async def main():
            reads = [time.perf_counter_ns() for _ in range(1000)]
            return all(a < b for a, b in zip(reads, reads[1:]))
        show(run(main))
    """)


def test_a_timeout_is_virtual() -> None:
    assert (
        play("""
        async def main():
            try:
                await asyncio.wait_for(asyncio.Event().wait(), 90)
            except TimeoutError:
                return now()
        show(run(main))
    """)
        == 90.0
    )


def test_a_cancelled_timer_does_not_fire() -> None:
    assert play("""
        async def main():
            loop, seen = asyncio.get_running_loop(), []
            handles = [loop.call_later(1, seen.append, number) for number in range(500)]
            for handle in handles[1:]:
                handle.cancel()
            await asyncio.sleep(2)
            return seen
        show(run(main))
    """) == [0]


DEADLOCK = """
import asyncio, queue, sys, threading
from lkgate.harness import time as virtual
clock = virtual.install(seed=7, started_at_unix_us=0)

async def forgotten():
    await asyncio.Event().wait()

def work():
    queue.Queue().get()

async def main():
    asyncio.create_task(forgotten(), name="forgotten")
    asyncio.create_task(asyncio.Queue().get(), name="library")
    threading.Thread(target=work, name="worker", daemon=True).start()
    await asyncio.get_running_loop().create_future()

try:
    virtual.run(main, clock=clock, horizon_us=1_000_000)
except virtual.DeadlockError as error:
    print(error)
"""


def test_a_deadlock_says_who_waits_and_where(tmp_path: Path) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text(DEADLOCK)
    done = subprocess.run(
        [sys.executable, str(agent)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.stderr == ""
    *ours, library = done.stdout.splitlines()
    assert ours == [
        "everything waits for something that can never come:",
        f"Task-1: {agent}:16 in main",
        f"forgotten: {agent}:7 in forgotten",
        f"thread worker: {agent}:10 in work",
    ]
    assert re.fullmatch(r"library: Queue\.get \(queues\.py:\d+\)", library)


def test_a_deadlock_of_the_loops_own_thread_is_found_and_cannot_be_swallowed() -> None:
    assert play("""
        async def main():
            try:
                threading.Event().wait()
            except Exception:
                pass
            await asyncio.sleep(1)
        try:
            run(main)
        except virtual.DeadlockError as error:
            show([str(error).splitlines()[0], now()])
    """) == ["everything waits for something that can never come:", 0.0]


def test_the_horizon_ends_a_loop_that_spins() -> None:
    assert play("""
        async def main():
            while True:
                await asyncio.sleep(1)
        try:
            run(main, horizon_s=100)
        except virtual.HorizonError as error:
            show([str(error).splitlines()[0], now()])
    """) == ["still running at the limit:", 100.0]


def test_chance_and_the_calendar_are_seeded() -> None:
    program = """
        tasks = {"hash": hash("x")}
        async def main():
            order = []
            async def one(name):
                try:
                    await asyncio.Event().wait()
                finally:
                    order.append(name)
            group = {asyncio.ensure_future(one(name)) for name in "abcdefgh"}
            await asyncio.sleep(0)
            for task in group:
                task.cancel()
            await asyncio.gather(*group, return_exceptions=True)
            return order
        order = run(main)
        show([str(uuid.uuid4()), random.random(), secrets.token_hex(4), os.urandom(2).hex(),
              str(datetime.datetime.now(datetime.timezone.utc).date()), order])
    """
    first = play(program, PYTHONHASHSEED="1", TZ="Asia/Tokyo")
    assert first == play(program, PYTHONHASHSEED="2", TZ="America/Lima", LC_ALL="C")
    assert first[4] == "2026-09-21"
    assert first[5] == list("abcdefgh")


def test_a_child_process_runs_at_its_own_pace() -> None:
    assert play("""
        async def main():
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "print('hello')", stdout=asyncio.subprocess.PIPE)
            out, _ = await process.communicate()
            return [out.decode().strip(), process.returncode, now() < 30]
        show(run(main))
    """) == ["hello", 0, True]


def test_a_real_request_holds_the_clock_to_real_time() -> None:
    assert play("""
        async def main():
            loop = asyncio.get_running_loop()
            async def serve(reader, writer):
                await reader.readline()
                writer.write(b"answer\\n")
                writer.close()
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            loop.real_begin()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"question\\n")
            answer = await asyncio.wait_for(reader.readline(), 20)
            loop.real_end()
            before = now()
            await asyncio.sleep(1000)
            return [answer.decode().strip(), before < 20, round(now() - before)]
        show(run(main))
    """) == ["answer", True, 1000]


def test_what_is_not_marked_real_does_not_wait_for_the_machine() -> None:
    assert (
        play("""
        async def main():
            reading, writing = os.pipe()
            arrived = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().add_reader(reading, arrived.set_result, None)
            await asyncio.sleep(3600)
            os.write(writing, b"x")
            await asyncio.wait_for(arrived, 5)
            return now()
        show(run(main, horizon_s=4000))
    """)
        == 3600.0
    )


def test_polling_does_not_stop_time() -> None:
    assert (
        play("""
        async def main():
            done = []
            asyncio.get_running_loop().call_later(5, done.append, 1)
            while not done:
                await asyncio.sleep(0)
            finished = []
            def work():
                time.sleep(2)
                finished.append(1)
            threading.Thread(target=work).start()
            while not finished:
                await asyncio.sleep(0)
            return now()
        show(run(main))
    """)
        == 7.0
    )


def test_polling_for_what_never_comes_ends_at_the_horizon() -> None:
    assert (
        play("""
        async def main():
            async def tick():
                while True:
                    await asyncio.sleep(1)
            ticking = asyncio.create_task(tick())
            while True:
                await asyncio.sleep(0)
        try:
            run(main, horizon_s=30)
        except virtual.HorizonError:
            show(now())
    """)
        == 30.0
    )


def test_never_is_a_time() -> None:
    assert (
        play("""
        async def main():
            asyncio.get_running_loop().call_later(float("inf"), print, "never")
            sleeping = asyncio.create_task(asyncio.sleep(float("inf")))
            await asyncio.sleep(1)
            sleeping.cancel()
            return now()
        show(run(main))
    """)
        == 1.0
    )


def test_sets_of_futures_have_an_order() -> None:
    program = """
        async def main():
            loop = asyncio.get_running_loop()
            futures = ([loop.create_future() for _ in range(20)]
                       + [asyncio.Future() for _ in range(20)]
                       + [asyncio.gather(asyncio.sleep(0)) for _ in range(20)])
            names = {id(future): number for number, future in enumerate(futures)}
            order = [names[id(future)] for future in set(futures)]
            for future in futures[:40]:
                future.set_result(None)
            done, _ = await asyncio.wait(futures)
            return [order, [names[id(future)] for future in done],
                    isinstance(futures[0], asyncio.Future), isinstance(futures[-1], asyncio.Future),
                    isinstance(asyncio.current_task(), asyncio.Future),
                    isinstance(3, asyncio.Future)]
        show(run(main))
    """
    order, done, *kinds = play(program)
    assert sorted(order) == sorted(done) == list(range(60))
    assert [order, done, *kinds] == play(program)
    assert kinds == [True, True, True, False]


def test_an_error_in_a_callback_reaches_the_handler() -> None:
    assert play("""
        async def main():
            loop, seen = asyncio.get_running_loop(), []
            loop.set_exception_handler(lambda _, context: seen.append(str(context["exception"])))
            loop.call_soon(lambda: 1 / 0)
            loop.call_later(1, lambda: [][1])
            await asyncio.sleep(2)
            return seen
        show(run(main))
    """) == ["division by zero", "list index out of range"]


def test_garbage_is_collected_at_virtual_times() -> None:
    collected, enabled, after = play("""
        import gc, weakref
        class Loop:
            pass
        async def main():
            times = []
            def knot():
                one = Loop()
                one.self = one
                weakref.finalize(one, lambda: times.append(now()))
            knot()
            await asyncio.sleep(30)
            knot()
            for _ in range(20):
                await asyncio.sleep(10)
            return [times, gc.isenabled()]
        show([*run(main), gc.isenabled()])
    """)
    assert collected == [60.0, 60.0]
    assert (enabled, after) == (False, True)


def test_what_is_left_is_cancelled_in_order_and_generators_closed() -> None:
    assert play("""
        seen = []
        async def left(name, pause):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(pause)
                seen.append(name)
        async def numbers():
            try:
                yield 1
            finally:
                seen.append("closed")
        async def main():
            tasks = [asyncio.create_task(left(name, pause))
                     for name, pause in (("a", 2), ("b", 0), ("c", 0))]
            generator = numbers()
            await anext(generator)
            keep.append(generator)
            await asyncio.sleep(1)
        keep = []
        run(main)
        show(seen)
    """) == ["b", "c", "a", "closed"]


def test_the_programs_own_task_factory_is_used() -> None:
    assert play("""
        async def nothing():
            return asyncio.current_task().get_name()
        async def main():
            loop, made = asyncio.get_running_loop(), []
            def factory(loop, coro, **more):
                made.append(1)
                return asyncio.Task(coro, loop=loop, **more)
            loop.set_task_factory(factory)
            name = await asyncio.create_task(nothing(), name="named")
            loop.set_task_factory(None)
            return [name, len(made), await asyncio.create_task(nothing(), name="plain")]
        show(run(main))
    """) == ["named", 1, "plain"]


def test_a_child_process_may_outlive_a_timeout() -> None:
    assert play("""
        async def main():
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "import time; time.sleep(60)")
            try:
                await asyncio.wait_for(process.wait(), 0.2)
            except TimeoutError:
                process.kill()
            status = await process.wait()
            before = now()
            await asyncio.sleep(1000)
            return [status, before < 30, round(now() - before)]
        show(run(main))
    """) == [-9, True, 1000]


def test_time_goes_on_by_itself_while_a_real_request_is_out() -> None:
    assert play("""
        async def main():
            loop, seen = asyncio.get_running_loop(), []
            async def tick():
                while True:
                    await asyncio.sleep(0.01)
                    seen.append(time.monotonic())
            ticking = asyncio.create_task(tick())
            begin = real.monotonic()
            loop.real_begin()
            loop.real_begin()
            await asyncio.to_thread(real.sleep, 0.1)
            loop.real_end()
            await asyncio.sleep(0.1)
            took = real.monotonic() - begin
            loop.real_end()
            virtual_took = now()
            ticking.cancel()
            try:
                loop.real_end()
            except RuntimeError as error:
                return [took <= virtual_took + 1e-3, took >= 0.2, len(seen) > 2, str(error)]
        from lkgate.harness.time import real
        show(run(main, horizon_s=100))
    """) == [True, True, True, "real_end() without real_begin()"]


def test_a_child_process_that_outlives_its_loop_does_not_hold_the_next() -> None:
    assert play("""
        async def leave():
            children.append(await asyncio.create_subprocess_exec(
                sys.executable, "-c", "import time; time.sleep(60)"))
        async def main():
            await asyncio.sleep(100_000)
            return now() > 99_000
        children = []
        asyncio.run(leave())
        clock_runs = clock.requests
        show([clock_runs, run(main, horizon_s=1e6)])
        for child in children:
            os.kill(child.pid, 9)
        sys.stdout.flush()
        os._exit(0)
    """) == [0, True]
