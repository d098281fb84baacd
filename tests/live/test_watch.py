"""A server's rooms, recorded as they appear by a recorder that is left alone."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from lkgate.bundle import read
from lkgate.record import CallLog, RecordOptions, WatchOptions, now_unix_us, watch_rooms
from lkgate.record.schedule import sampled
from lkgate.secret import Secrets
from tests.live.conftest import (
    KEY,
    LiveServer,
    async_until,
    free_ports,
    running,
    wait_until,
)
from tests.live.people import Person, call
from tests.live.watcher import Watcher, check, delete, watching

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

# A room that is sampled.
LATE = next(f"clinic-late-{n}" for n in range(99) if sampled(f"clinic-late-{n}", 0.5))


async def talk(server: LiveServer, room: str, seconds: float) -> None:
    """A call of an agent and a caller, who both speak."""
    agent = Person(server.credentials, room, "bot", "agent", bursts=(1.0,))
    caller = Person(server.credentials, room, "ann", "standard", bursts=(1.5,))
    await call(agent, caller, seconds=seconds)


async def stand(server: LiveServer, room: str, seconds: float, *, talks: bool) -> None:
    """A room with a caller who only listens, and an agent who may talk: that is a tenth of a core,
    and twenty rooms of talkers would be a test of this machine.
    """
    agent = Person(server.credentials, room, "bot", "agent", bursts=(1.0,))
    caller = Person(server.credentials, room, "ann", "standard")
    await asyncio.gather(agent.join(), caller.join())
    try:
        await (agent.talk(seconds) if talks else asyncio.sleep(seconds))
    finally:
        await asyncio.gather(agent.leave(), caller.leave())


def test_twenty_rooms_at_once(live_server: LiveServer, tmp_path: Path) -> None:
    """More rooms than the bound, one that ends in time for another, and SIGTERM in the middle."""
    rooms, bound = 20, 4
    names = [f"clinic-{n}" for n in range(rooms)]
    chosen = {name for name in names if sampled(name, 0.5)}
    assert bound < len(chosen) < rooms
    seen = []
    for run in ("one", "two"):
        with watching(
            live_server, tmp_path / run, "--sample", "0.5", "--max-rooms", str(bound)
        ) as watcher:
            code = asyncio.run(first_wave_and_second(live_server, watcher, names, chosen, bound))
            assert code == 0, watcher.log.read_text()
            calls = watcher.calls()
            assert calls.keys() == {*names, LATE}
            assert all(calls[name]["reason"] == "not_sampled" for name in set(names) - chosen)
            recorded = {name for name in calls if calls[name]["outcome"] == "recorded"}
            over = {name for name in chosen if calls[name].get("reason") == "max_rooms"}
            # Nobody waited for anybody: each was recorded at once, or said to be too many.
            assert recorded - {LATE} | over == chosen
            assert len(recorded - {LATE}) == bound and LATE in recorded
            assert {calls[name]["ended"] for name in recorded} == {"room_ended", "stopped"}
            bundles = watcher.bundles()
            assert sorted(calls[name]["bundle"] for name in recorded) == sorted(map(str, bundles))
            check(bundles, tmp_path)
            for bundle in map(read, bundles):
                assert bundle.tracks("agent")[0].samples > 0
            assert not list(watcher.out.glob("*.unfinished"))
            assert watcher.lines("stopped")[0]["lost"] == 0
        seen.append({name for name in names if calls[name].get("reason") != "not_sampled"})
    assert seen == [chosen, chosen]


def test_webhooks_tell_of_a_room_at_once(tmp_path: Path) -> None:
    """Asked only once in ten minutes, the server would not have told in time."""
    (hook,) = free_ports(1)
    webhook = {"api_key": KEY, "urls": [f"http://127.0.0.1:{hook}/livekit"]}
    lines: list[str] = []
    made: list[Path] = []
    log = CallLog(lines.append, now_unix_us=now_unix_us, secrets=Secrets())

    async def play(server: LiveServer) -> None:
        stop = asyncio.Event()
        options = WatchOptions(
            ("clinic-*",),
            RecordOptions("", tmp_path / "calls", server.credentials),
            webhook=("127.0.0.1", hook),
            poll_seconds=600.0,
        )
        watch = asyncio.create_task(watch_rooms(options, log=log, made=made.append, stop=stop))
        await async_until(lambda: bool(lines), 20)
        call = asyncio.create_task(talk(server, "clinic-hooked", 30))
        try:
            await async_until(lambda: len([*tmp_path.glob("calls/*/journal/*.pcm")]) == 2, 20)
            stop.set()
            assert await watch == 0
        finally:
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    with running(tmp_path, {"webhook": webhook}) as server:
        asyncio.run(asyncio.wait_for(play(server.live), 60))
    bundle = read(made[0])
    assert sorted(track.role for track in bundle.manifest.tracks) == ["agent", "caller"]
    assert not [line for line in lines if "webhook_refused" in line]


@pytest.mark.soak
def test_a_server_that_was_away_for_a_while(tmp_path: Path) -> None:
    with running(tmp_path) as server, watching(server.live, tmp_path / "watch") as watcher:
        server.kill()
        wait_until(lambda: bool(watcher.lines("server_away")), 20, watcher.log.read_text)
        server.start()
        wait_until(lambda: bool(watcher.lines("server_back")), 30, watcher.log.read_text)

        async def play() -> None:
            call = asyncio.create_task(talk(server.live, "clinic-back", 20))
            try:
                await async_until(lambda: any(watcher.out.glob("*/journal/agent.pcm")), 30)
                assert await asyncio.to_thread(watcher.end) == 0
            finally:
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)

        asyncio.run(asyncio.wait_for(play(), 90))
        assert watcher.calls()["clinic-back"]["outcome"] == "recorded"
        check(watcher.bundles(), tmp_path)


def test_a_killed_watch_is_taken_up_by_the_next(live_server: LiveServer, tmp_path: Path) -> None:
    async def play() -> None:
        call = asyncio.create_task(talk(live_server, "clinic-cut", 30))
        try:
            with watching(live_server, tmp_path / "watch") as watcher:
                written = "*.unfinished/journal/agent.pcm"
                await async_until(lambda: any(watcher.out.glob(written)), 30)
                await asyncio.sleep(1)
        finally:
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    asyncio.run(asyncio.wait_for(play(), 90))
    asyncio.run(delete(live_server, "clinic-cut"))
    script = "import os; print('for', os.environ['LKGATE_BUNDLE'])"
    hook = f'{sys.executable} -c "{script}"'
    with watching(live_server, tmp_path / "watch", "--on-bundle", hook) as watcher:
        wait_until(lambda: bool(watcher.lines("hook")), 30, watcher.log.read_text)
        assert watcher.end() == 0
        (call,) = watcher.lines("call")
        assert (call["outcome"], call["error"]) == ("recovered", "the recorder was killed")
        (bundle,) = watcher.bundles()
        assert watcher.lines("hook")[0]["output"] == f"for {bundle}"
        check([bundle], tmp_path)


async def first_wave_and_second(
    server: LiveServer, watcher: Watcher, names: list[str], chosen: set[str], bound: int
) -> int:
    """All rooms at once; one that is recorded is deleted, and ``LATE`` takes its place."""
    standing = [
        asyncio.create_task(stand(server, name, 60, talks=name in chosen)) for name in names
    ]
    active = ""
    try:
        over = len(chosen) - bound
        await async_until(
            lambda: sum(c.get("reason") == "max_rooms" for c in watcher.calls().values()) == over,
            30,
        )
        heard = "*.unfinished/journal/agent.pcm"
        await async_until(
            lambda: sum(each.stat().st_size > 0 for each in watcher.out.glob(heard)) == bound, 30
        )
        active = next(name for name in names if name in chosen - watcher.calls().keys())
        await delete(server, active)
        await async_until(lambda: active in watcher.calls(), 30)
        late = asyncio.create_task(talk(server, LATE, 60))
        standing.append(late)
        await async_until(lambda: any(watcher.out.glob(f"{LATE}*/journal/agent.pcm")), 30)
        await asyncio.sleep(1)
        return await asyncio.to_thread(watcher.end)
    finally:
        for task in standing:
            task.cancel()
        await asyncio.gather(*standing, return_exceptions=True)
        # For the next run, which takes the same names.
        await delete(server, LATE, *(name for name in names if name != active))
