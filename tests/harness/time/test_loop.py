"""The virtual loop: timers, order, waiting for ever, the end of time."""

from __future__ import annotations

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


def test_a_deadlock_says_who_waits_and_where() -> None:
    assert play("""
        async def forgotten():
            await asyncio.Event().wait()
        async def main():
            await asyncio.create_task(forgotten(), name="forgotten")
        try:
            run(main)
        except virtual.DeadlockError as error:
            lines = str(error).splitlines()
            show([lines[0], [line.split(":")[0] for line in lines[1:]]])
    """) == [
        "everything waits for something that can never come:",
        ["Task-1", "forgotten"],
    ]


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
