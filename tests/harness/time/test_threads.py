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


def test_a_lock_that_is_held_by_a_sleeper_is_waited_for() -> None:
    assert play("""
        async def main():
            lock, again = threading.Lock(), threading.RLock()
            def hold(one, name):
                with one, one if one is again else contextlib.nullcontext():
                    time.sleep(1)
                    return [name, now()]
            import contextlib
            return await asyncio.gather(*(
                asyncio.to_thread(hold, one, name) for one in (lock, again) for name in "ab"))
        show(run(main))
    """) == [["a", 1.0], ["b", 2.0], ["a", 1.0], ["b", 2.0]]


def test_a_lock_times_out_on_the_virtual_clock() -> None:
    assert play("""
        async def main():
            lock = threading.Lock()
            def hold():
                with lock:
                    time.sleep(5)
            def attempt():
                return [lock.acquire(timeout=2), now(), lock.acquire(False), lock.acquire(), now()]
            holding = asyncio.create_task(asyncio.to_thread(hold))
            await asyncio.sleep(0)
            result = await asyncio.to_thread(attempt)
            for wrong in ((False, 1), (True, -2)):
                try:
                    lock.acquire(*wrong)
                except ValueError:
                    result.append("refused")
            return result
        show(run(main))
    """) == [
        False,
        2.0,
        False,
        True,
        5.0,
        "refused",
        "refused",
    ]


def test_every_kind_of_wait_is_virtual() -> None:
    assert play("""
        async def main():
            simple, semaphore = queue.SimpleQueue(), threading.Semaphore(0)
            barrier = threading.Barrier(2)
            def work():
                seen = [[simple.get(), now()]]
                seen.append([semaphore.acquire(timeout=3), now()])
                barrier.wait()
                seen.append(now())
                try:
                    concurrent.futures.Future().result(4)
                except TimeoutError:
                    seen.append(now())
                return seen
            job = asyncio.create_task(asyncio.to_thread(work))
            await asyncio.sleep(1)
            simple.put("word")
            await asyncio.sleep(4)
            threading.Timer(2, barrier.wait).start()
            return await job
        show(run(main))
    """) == [["word", 1.0], [False, 4.0], 7.0, 11.0]


def test_a_pool_has_as_many_threads_as_it_was_given() -> None:
    assert play("""
        async def main():
            def work(number):
                time.sleep(1)
                return [number, now()]
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                return list(pool.map(work, range(5)))
        show(run(main))
    """) == [[0, 1.0], [1, 1.0], [2, 2.0], [3, 2.0], [4, 3.0]]


def test_the_default_pool_does_not_depend_on_the_machine() -> None:
    assert (
        play("""
        async def main():
            await asyncio.gather(*(asyncio.to_thread(time.sleep, 1) for _ in range(32)))
            return now()
        show(run(main))
    """)
        == 1.0
    )


def test_threads_run_in_the_order_they_were_started_and_are_dead_when_joined() -> None:
    assert play("""
        async def main():
            seen = []
            threads = [threading.Thread(target=seen.append, args=(number,)) for number in range(9)]
            for thread in threads:
                thread.start()
            seen.append("started")
            alive = [thread.is_alive() for thread in threads]
            for thread in reversed(threads):
                thread.join()
            return [seen, all(alive), any(thread.is_alive() for thread in threads),
                    threading.active_count()]
        show(run(main))
    """) == [["started", *range(9)], True, False, 1]


def test_an_error_of_a_thread_is_printed_as_ever() -> None:
    assert play("""
        async def main():
            seen = []
            threading.excepthook = lambda args: seen.append([args.exc_type.__name__,
                                                             args.thread.name, now()])
            def fail():
                time.sleep(1)
                raise ValueError("no")
            def leave():
                raise SystemExit
            for work in (fail, leave):
                thread = threading.Thread(target=work, name="failing")
                thread.start()
                thread.join()
            return seen
        show(run(main))
    """) == [["ValueError", "failing", 1.0]]


def test_a_thread_may_join_another_and_give_up() -> None:
    assert play("""
        async def main():
            sleeper = threading.Thread(target=time.sleep, args=(10,))
            sleeper.start()
            def wait():
                sleeper.join(3)
                first = [sleeper.is_alive(), now()]
                sleeper.join()
                return [first, [sleeper.is_alive(), now()]]
            return await asyncio.to_thread(wait)
        show(run(main))
    """) == [[True, 3.0], [False, 10.0]]


def test_a_threads_own_loop_is_spoken_to_from_outside() -> None:
    assert play("""
        async def main():
            ready = concurrent.futures.Future()
            def own():
                loop = asyncio.new_event_loop()
                ready.set_result(loop)
                loop.run_forever()
            thread = threading.Thread(target=own)
            thread.start()
            loop = await asyncio.wrap_future(ready)
            async def inner(number):
                await asyncio.sleep(2)
                return [number, now()]
            answers = [asyncio.run_coroutine_threadsafe(inner(number), loop) for number in (1, 2)]
            seen = [await asyncio.wrap_future(answer) for answer in answers]
            seen.append(answers[0].result())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            return seen
        show(run(main))
    """) == [[1, 2.0], [2, 2.0], [1, 2.0]]


def test_a_program_may_wait_for_threads_while_it_is_loaded() -> None:
    assert play("""
        seen = []
        def work():
            for _ in range(3):
                time.sleep(1)
                seen.append(now())
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(1.5)
        seen.append("loaded")
        async def main():
            await asyncio.sleep(1)
            seen.append("ran")
            thread.join()
            return seen
        show(run(main))
    """) == [1.0, "loaded", 2.0, "ran", 3.0]


def test_a_session_that_begins_again_keeps_the_threads_it_has() -> None:
    assert play("""
        asked, seen = queue.Queue(), []
        def work():
            while True:
                seen.append([asked.get(), round(time.time(), 3)])
        threading.Thread(target=work, daemon=True).start()
        time.sleep(1)
        before = time.monotonic()
        virtual.reset(clock, seed=7, started_at_unix_us=1_000_000)
        async def main():
            await asyncio.sleep(2)
            asked.put("word")
            await asyncio.sleep(1)
            return [seen, clock.now_us(), time.monotonic() > before]
        show(run(main))
        sys.stdout.flush()
        os._exit(0)
    """) == [[["word", 3.0]], 3_000_000, True]


def test_a_thread_that_waits_for_nothing_is_given_up() -> None:
    assert play("""
        from lkgate.harness.time import real, scheduler
        scheduler.PATIENCE_S = 0.2
        async def main():
            def spin():
                while True:
                    real.sleep(0.01)
            await asyncio.to_thread(spin)
        try:
            run(main)
        except virtual.WorkerStuckError as error:
            show(str(error).split(":")[0])
        sys.stdout.flush()
        os._exit(0)
    """) == ("ran for 0 s without waiting")


def test_where_real_requests_are_made_a_thread_may_wait_for_the_world() -> None:
    answer, ticks, still = play("""
        import socket
        from lkgate.harness.time import real
        server = socket.create_server(("127.0.0.1", 0))
        def serve():
            client, _ = server.accept()
            client.recv(10)
            real.sleep(0.2)
            client.send(b"answer")
        real.start_thread(serve, ())
        async def main():
            ticks = []
            async def tick():
                while True:
                    await asyncio.sleep(0.02)
                    ticks.append(1)
            ticking = asyncio.create_task(tick())
            def ask():
                client = socket.create_connection(server.getsockname())
                client.send(b"question")
                answer = client.recv(10).decode()
                time.sleep(0.5)
                return answer
            answer = await asyncio.to_thread(ask)
            before, begin = now(), real.monotonic()
            await asyncio.sleep(3600)
            return [answer, len(ticks), real.monotonic() - begin < 600]
        show(virtual.run(main, clock=clock, horizon_us=10**10, hybrid=True))
    """)
    assert answer == "answer"
    assert ticks > 25, "the loop went on while the thread waited for the world"
    assert still


def test_a_pool_of_processes_runs_at_the_machines_pace() -> None:
    assert (
        play("""
        import multiprocessing
        async def main():
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
                loop = asyncio.get_running_loop()
                answer = await asyncio.wait_for(loop.run_in_executor(pool, abs, -3), 60)
            return answer
        show(run(main))
    """)
        == 3
    )


def test_a_blocking_child_process_takes_no_virtual_time() -> None:
    assert play("""
        import subprocess
        async def main():
            def work():
                command = [sys.executable, "-c", "import time; time.sleep(0.2); print('out')"]
                return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
            return [await asyncio.to_thread(work), subprocess.run(["true"], timeout=9).returncode,
                    now()]
        show(run(main))
    """) == ["out\n", 0, 0.0]


def test_native_inference_runs_where_it_is_asked_for() -> None:
    assert play("""
        class Model:
            __module__ = "livekit.local_inference._native"
            def predict(self, value):
                return [value, threading.current_thread().name]
            def fail(self):
                raise ValueError("no")
        async def main():
            loop, model = asyncio.get_running_loop(), Model()
            seen = [await loop.run_in_executor(None, model.predict, 1),
                    await asyncio.to_thread(model.predict, 2)]
            try:
                await asyncio.to_thread(model.fail)
            except ValueError as error:
                seen.append(str(error))
            seen.append(await asyncio.to_thread(lambda: threading.current_thread().name))
            return seen
        show(run(main))
    """) == [[1, "MainThread"], [2, "MainThread"], "no", "asyncio_0"]


def test_threads_leave_one_trace() -> None:
    program = """
        async def main():
            trace, lock, words = [], threading.Lock(), queue.Queue(3)
            loop = asyncio.get_running_loop()
            def work(name):
                for number in range(30):
                    time.sleep(random.random() / 10)
                    with lock:
                        trace.append([name, number, clock.now_us()])
                        if random.random() < 0.3:
                            time.sleep(0.01)
                    words.put(name)
                    loop.call_soon_threadsafe(trace.append, f"soon {name}")
            jobs = [asyncio.create_task(asyncio.to_thread(work, name)) for name in "abc"]
            threads = [threading.Thread(target=work, args=(name,)) for name in "de"]
            for thread in threads:
                thread.start()
            for number in range(150):
                trace.append(await asyncio.to_thread(words.get))
            await asyncio.gather(*jobs)
            return trace
        show(run(main))
    """
    assert play(program, PYTHONHASHSEED="1") == play(program, PYTHONHASHSEED="2")


def test_a_threads_own_loop_hears_its_sockets() -> None:
    assert play("""
        import socket
        async def main():
            ours, theirs = socket.socketpair()
            theirs.setblocking(False)
            def own():
                async def inner():
                    word = await asyncio.get_running_loop().sock_recv(theirs, 10)
                    return [word.decode(), 1 <= now() <= 1.02]
                return asyncio.run(inner())
            job = asyncio.create_task(asyncio.to_thread(own))
            await asyncio.sleep(1)
            ours.send(b"hello")
            return await job
        show(run(main))
    """) == ["hello", True]
