"""Where a program looks for time and chance, it finds the virtual ones."""

from __future__ import annotations

from tests.harness.time.virtual import play


def test_every_clock_is_virtual() -> None:
    assert play(
        """
        from datetime import date, timezone
        async def main():
            await asyncio.sleep(3600)
            utc = timezone.utc
            moments = [
                time.time(), time.time_ns() / 1e9, time.clock_gettime(time.CLOCK_REALTIME),
                datetime.datetime.now(utc).timestamp(), datetime.datetime.now().timestamp(),
                datetime.datetime.utcnow().replace(tzinfo=utc).timestamp(),
                datetime.datetime.today().timestamp(),
                time.mktime(time.localtime()), time.mktime(time.strptime(time.ctime())),
                time.mktime(time.strptime(time.strftime("%c"))),
                time.mktime(time.strptime(time.asctime())),
            ]
            durations = [time.monotonic(), time.monotonic_ns() / 1e9, time.perf_counter(),
                         time.perf_counter_ns() / 1e9, time.clock_gettime(time.CLOCK_MONOTONIC),
                         asyncio.get_running_loop().time()]
            return [sorted({round(moment) - 1_790_000_000 for moment in moments}),
                    sorted({round(value - durations[0]) for value in durations}),
                    time.gmtime().tm_hour, str(date.today()), time.process_time() < 1]
        show(run(main))
    """,
        TZ="UTC",
    ) == [[3600], [0], 15, "2026-09-21", True]


def test_names_that_were_imported_before_are_virtual_too() -> None:
    assert play(
        """
        import early
        async def main():
            before = early.monotonic()
            await asyncio.sleep(100)
            return [round(early.monotonic() - before), early.Lock is threading.Lock,
                    early.urandom is os.urandom,
                    early.datetime.now().timestamp() - begin < 101]
        show(run(main))
    """,
        before="""
        import sys, types
        early = types.ModuleType("early")
        exec("from time import monotonic; from threading import Lock; from os import urandom;"
             "from datetime import datetime", vars(early))
        sys.modules["early"] = early
    """,
    ) == [100, True, True, True]


def test_the_machines_clock_is_there_for_the_harness() -> None:
    assert play("""
        from lkgate.harness.time import real
        async def main():
            began = real.monotonic()
            await asyncio.sleep(100_000)
            return [real.monotonic() - began < 1000, abs(real.time() - time.time()) > 1000]
        show(run(main, horizon_s=1e6))
    """) == [True, True]


def test_every_chance_is_seeded() -> None:
    program = """
        import numpy
        show([random.random(), random.Random().random(), random.SystemRandom().random(),
              secrets.token_hex(8), str(uuid.uuid4()), str(uuid.uuid1()), os.urandom(4).hex(),
              numpy.random.random(), numpy.random.default_rng().random(),
              random.Random(5).random()])
    """
    first = play(program)
    assert first == play(program)
    assert len({str(value) for value in first}) == len(first)
    assert first[-1] == 0.6229016948897019, "a seed of the program's own is left alone"


def test_a_new_session_has_chance_of_its_own() -> None:
    assert play("""
        def draw(seed):
            virtual.reset(clock, seed=seed, started_at_unix_us=0)
            return [random.random(), str(uuid.uuid4()), random.Random().random()]
        show([draw(1) == draw(1), draw(1) != draw(2)])
    """) == [True, True]


def test_a_thread_that_takes_no_turns_takes_no_chance_away() -> None:
    assert play("""
        from lkgate.harness.time import real
        def draws(disturbed):
            virtual.reset(clock, seed=3, started_at_unix_us=0)
            if disturbed:
                done = real.Lock()
                done.acquire()
                def draw():
                    os.urandom(100)
                    random.Random()
                    done.release()
                real.start_thread(draw, ())
                done.acquire()
            return os.urandom(8).hex()
        show(draws(False) == draws(True))
    """)


def test_a_datetime_is_a_datetime() -> None:
    assert play("""
        import copy, pickle
        moment = datetime.datetime.now()
        class Own(datetime.datetime):
            pass
        show([type(moment) is datetime.datetime, pickle.loads(pickle.dumps(moment)) == moment,
              copy.deepcopy(moment) == moment, type(Own.now()).__name__,
              repr(datetime.datetime(2026, 1, 2)), isinstance(moment, datetime.date)])
    """) == [True, True, True, "Own", "datetime.datetime(2026, 1, 2, 0, 0)", True]


def test_a_thread_that_takes_no_turns_has_a_loop_at_the_machines_pace() -> None:
    assert play("""
        from lkgate.harness.time import real
        seen, done = [], real.Lock()
        done.acquire()
        def work():
            async def inner():
                began = real.monotonic()
                await asyncio.sleep(0.05)
                seen.append(real.monotonic() - began >= 0.05)
            loop = asyncio.new_event_loop()
            loop.run_until_complete(inner())
            loop.close()
            done.release()
        real.start_thread(work, ())
        done.acquire()
        show(seen)
    """) == [True]


def test_an_unknown_thread_reaches_the_loop() -> None:
    assert (
        play("""
        from lkgate.harness.time import real
        async def main():
            loop = asyncio.get_running_loop()
            arrived = loop.create_future()
            def work():
                real.sleep(0.1)
                loop.call_soon_threadsafe(arrived.set_result, "hello")
            real.start_thread(work, ())
            return await arrived
        show(run(main))
    """)
        == "hello"
    )


def test_virtual_time_is_installed_once() -> None:
    assert (
        play("""
        try:
            virtual.install(seed=1, started_at_unix_us=0)
        except RuntimeError as error:
            show(str(error))
    """)
        == "virtual time is installed already"
    )


def test_a_loop_while_loading_does_not_spin_for_ever() -> None:
    assert (
        play("""
        async def forever():
            while True:
                await asyncio.sleep(60)
        try:
            asyncio.run(forever())
        except virtual.HorizonError:
            show(round((time.time() - begin) / 3600))
    """)
        == 24
    )
