"""Threads under virtual time: they block on the virtual clock, and in the program's own order."""

from __future__ import annotations

from tests.harness.time.virtual import play


def test_a_sleep_in_a_thread_lets_the_loop_go_on() -> None:
    assert play("""
        async def main():
            seen = []
            async def tick():
                for _ in range(3):
                    await asyncio.sleep(1)
                    seen.append(now())
            ticking = asyncio.create_task(tick())
            await asyncio.to_thread(time.sleep, 2.5)
            seen.append(now())
            await ticking
            return seen
        show(run(main))
    """) == [1.0, 2.0, 2.5, 3.0]


def test_a_thread_and_the_loop_talk_both_ways() -> None:
    assert play("""
        async def main():
            loop, asked, seen = asyncio.get_running_loop(), queue.Queue(), []
            async def answer(number):
                await asyncio.sleep(1)
                return number * 2
            def work():
                while (number := asked.get()) is not None:
                    future = asyncio.run_coroutine_threadsafe(answer(number), loop)
                    seen.append([future.result(), now()])
            thread = threading.Thread(target=work)
            thread.start()
            asked.put(1)
            asked.put(2)
            asked.put(None)
            await asyncio.sleep(5)
            thread.join()
            return seen
        show(run(main))
    """) == [[2, 1.0], [4, 2.0]]


def test_waits_on_the_loops_own_thread_are_virtual() -> None:
    assert play("""
        async def main():
            seen = []
            event = threading.Event()
            seen.append([event.wait(3), now()])
            def later():
                time.sleep(2)
                event.set()
            threading.Thread(target=later).start()
            seen.append([event.wait(10), now()])
            thread = threading.Thread(target=time.sleep, args=(4,))
            thread.start()
            thread.join()
            seen.append(now())
            time.sleep(1)
            seen.append(now())
            return seen
        show(run(main))
    """) == [[False, 3.0], [True, 5.0], 9.0, 10.0]


def test_a_queue_times_out_on_the_virtual_clock() -> None:
    assert (
        play("""
        async def main():
            def wait():
                try:
                    queue.Queue().get(timeout=7)
                except queue.Empty:
                    return now()
            return await asyncio.to_thread(wait)
        show(run(main))
    """)
        == 7.0
    )


def test_an_executor_with_one_thread_keeps_its_order() -> None:
    assert play("""
        async def main():
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                futures = [pool.submit(time.sleep, 0.5) for _ in range(3)]
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(pool, time.sleep, 0.5)
                return [all(future.done() for future in futures), now()]
        show(run(main))
    """) == [True, 2.0]


def test_a_thread_may_have_a_loop_of_its_own() -> None:
    assert (
        play("""
        async def main():
            def own():
                async def inner():
                    await asyncio.sleep(1.5)
                    return now()
                return asyncio.run(inner())
            return await asyncio.to_thread(own)
        show(run(main))
    """)
        == 1.5
    )


def test_a_lock_is_handed_over() -> None:
    assert play("""
        async def main():
            lock, seen = threading.Condition(), []
            def turn(name):
                with lock:
                    seen.append(name)
                    lock.notify_all()
                    lock.wait_for(lambda: len(seen) > 1, timeout=5)
                return now()
            ends = await asyncio.gather(*(asyncio.to_thread(turn, name) for name in "ab"))
            return [seen, ends]
        show(run(main))
    """) == [["a", "b"], [0.0, 0.0]]


def test_an_error_in_a_thread_reaches_who_awaits() -> None:
    assert (
        play("""
        async def main():
            def fail():
                raise ValueError("no")
            try:
                await asyncio.to_thread(fail)
            except ValueError as error:
                return str(error)
        show(run(main))
    """)
        == "no"
    )


def test_module_level_asyncio_run_is_virtual() -> None:
    assert (
        play("""
        async def start_up():
            await asyncio.sleep(60)
            return now()
        show(asyncio.run(start_up()))
    """)
        == 60.0
    )


def test_a_forked_child_begins_again() -> None:
    assert play("""
        async def main():
            await asyncio.to_thread(time.sleep, 1)
            return [round(time.time() - 1_790_000_000, 2), random.random()]
        first = run(main)
        read, write = os.pipe()
        if os.fork() == 0:
            virtual.reset(clock, seed=7, started_at_unix_us=1_790_000_000_000_000)
            os.write(write, json.dumps(run(main)).encode())
            os._exit(0)
        os.wait()
        virtual.reset(clock, seed=7, started_at_unix_us=1_790_000_000_000_000)
        show(json.loads(os.read(read, 1000)) == run(main))
    """)
