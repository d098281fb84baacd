"""The loop over rooms, with a server and recordings that do as they are told."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lkgate.errors import BundleError, LkgateError, RecordError
from lkgate.record import ConsentError, Hook, Limits, recover
from lkgate.record.calllog import CallLog
from lkgate.record.ledger import ledger
from lkgate.record.schedule import LiveRoom, Schedule
from lkgate.record.server import SecondRecorderError
from lkgate.record.shelf import Shelf
from lkgate.record.stop import NoPlaceError, StoppedError
from lkgate.record.watch import Rooms as AskRooms
from lkgate.record.watch import Watch
from lkgate.secret import Secrets
from tests.record.bundles import make, unfinished

Act = Callable[[Path, asyncio.Event], Any]
Rooms = list[LiveRoom] | LkgateError | Callable[[], list[LiveRoom]]


def room(name: str, people: int = 2) -> LiveRoom:
    return LiveRoom(name, f"RM_{name}", people)


async def ends_by_itself(out: Path, _: asyncio.Event) -> None:
    make(out)


async def goes_on(out: Path, stop: asyncio.Event) -> None:
    await stop.wait()
    make(out)


def fails(error: Exception, *, left: bool = False) -> Act:
    async def act(out: Path, _: asyncio.Event) -> None:
        if left:
            unfinished(out)
        raise error

    return act


@dataclass
class World:
    """A watch's surroundings, and what it did with them."""

    directory: Path
    acts: dict[str, Act] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    hook: Hook | None = None
    max_rooms: int = 8
    waits: bool = False
    agreed: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    lines: list[dict[str, Any]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    recover: Callable[[Path], Path] = recover
    printed: Callable[[Path], None] | None = None

    def run(self, *looks: Rooms, settled: Callable[[], bool] | None = None) -> int:
        """Show it one list of rooms after another; stop when ``settled`` after the last one."""
        return asyncio.run(asyncio.wait_for(self._run(list(looks), settled), 60))

    def calls(self) -> list[tuple[str, str]]:
        calls = [line for line in self.lines if line["event"] == "call"]
        return sorted((line.get("room", ""), line["outcome"]) for line in calls)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    async def _run(self, looks: list[Rooms], settled: Callable[[], bool] | None) -> int:
        stop, wake = asyncio.Event(), asyncio.Event()

        async def rooms() -> list[LiveRoom]:
            found = looks.pop(0) if len(looks) > 1 else looks[0]
            if len(looks) > 1 or isinstance(found, LkgateError):
                wake.set()
            elif settled is None or settled():
                stop.set()
            if isinstance(found, LkgateError):
                raise found
            return found() if callable(found) else found

        return await self.watch(rooms, stop, wake)

    async def watch(self, rooms: AskRooms, stop: asyncio.Event, wake: asyncio.Event) -> int:
        async def record(
            name: str,
            out: Path,
            *,
            stop: asyncio.Event,
            on_warning: Any,
            may_begin: Callable[[], bool],
        ) -> Path:
            on_warning("of " + name)
            while self.waits and name not in self.agreed:
                await asyncio.sleep(0.01)
            if not may_begin():
                raise NoPlaceError(name)
            self.begun.add(name)
            await self.acts.get(name, ends_by_itself)(out, stop)
            return out

        with ledger(self.directory) as book:
            log = CallLog(
                lambda line: self.lines.append(json.loads(line)), now_unix_us=now, secrets=Secrets()
            )
            shelf = Shelf(
                ledger=book,
                limits=self.limits,
                recover=self.recover,
                hook=self.hook,
                log=log,
                printed=self.printed or (lambda path: self.made.append(path.name)),
                environ=os.environ,
                now_unix_us=now,
                stamp=lambda: "T",
            )
            watch = Watch(
                Schedule(("*",), ratio=1.0, max_rooms=self.max_rooms, waits=self.waits),
                rooms=rooms,
                record=record,
                shelf=shelf,
                log=log,
                poll_seconds=0.05,
            )
            return await watch.run(stop, wake)


def now() -> int:
    return 1_700_000_000_000_000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "calls")


def test_a_call_is_one_line(world: World) -> None:
    assert world.run([room("a")], settled=lambda: bool(world.made)) == 0
    assert world.made == ["a-T"]
    (line,) = world.of("call")
    size = sum(file.stat().st_size for file in (world.directory / "a-T").rglob("*.*"))
    assert line == {
        "time": "2023-11-14T22:13:20.000Z",
        "event": "call",
        "room": "a",
        "sid": "RM_a",
        "outcome": "recorded",
        "bundle": str(world.directory / "a-T"),
        "bytes": size,
        "warnings": ["of a"],
        "duration_us": 100_000,
        "tracks": 1,
        "events": 2,
        "ended": "stopped",
        "gaps": 0,
    }


def test_no_room_waits_for_another_and_all_are_closed_at_the_end(world: World) -> None:
    world.acts = {"slow": goes_on, "broken": fails(RecordError("no way"))}
    rooms = [room(name) for name in ("slow", "broken", "x", "y")]
    assert world.run(rooms, settled=lambda: len(world.made) == 2) == 0
    assert sorted(world.made) == ["slow-T", "x-T", "y-T"]
    assert world.made[-1] == "slow-T"
    assert ("broken", "failed") in world.calls()


def test_a_server_that_is_away_is_asked_again(world: World, monkeypatch: Any) -> None:
    away = RecordError("no LiveKit server answers", where="ws://x")
    world.acts = {"a": goes_on}
    world.run(
        [room("a")], away, away, away, [room("a"), room("b")], settled=lambda: "b-T" in world.made
    )
    assert sorted(world.made) == ["a-T", "b-T"]
    (line,) = world.of("server_away")
    assert (line["error"], line["where"]) == ("no LiveKit server answers", "ws://x")
    assert [line["attempts"] for line in world.of("server_back")] == [3]


def test_a_server_that_hangs_does_not_keep_it_from_stopping(world: World) -> None:
    async def play() -> int:
        stop, wake = asyncio.Event(), asyncio.Event()

        async def rooms() -> list[LiveRoom]:
            stop.set()
            await asyncio.Event().wait()
            return []

        return await world.watch(rooms, stop, wake)

    assert asyncio.run(asyncio.wait_for(play(), 20)) == 0


def test_a_reader_that_is_gone_fails_no_recording(world: World) -> None:
    def printed(_: Path) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    world.printed = printed
    assert world.run([room("a")], settled=lambda: bool(world.of("call"))) == 0
    assert world.calls() == [("a", "recorded")]
    (line,) = world.of("not_printed")
    assert (line["bundle"], line["error"]) == (str(world.directory / "a-T"), "Broken pipe")


def test_what_a_failed_recording_left_becomes_a_bundle(world: World) -> None:
    world.acts = {"a": fails(OSError(28, "No space left on device"), left=True)}
    assert world.run([room("a")], settled=lambda: bool(world.made)) == 0
    (line,) = world.of("call")
    assert line["outcome"] == "recovered" and "No space left" in line["error"]
    assert not (world.directory / "a-T.unfinished").exists()


def test_a_recording_that_cannot_be_closed_at_the_end_is_counted(world: World) -> None:
    async def act(out: Path, stop: asyncio.Event) -> None:
        await stop.wait()
        unfinished(out)
        raise OSError(28, "No space left on device")

    def no_recover(_: Path) -> Path:
        raise BundleError("no space")

    world.acts = {"a": act}
    world.recover = no_recover
    assert world.run([room("a")]) == 1
    (line,) = world.of("call")
    assert line["left"] == str(world.directory / "a-T.unfinished")
    # The next recorder closes it.
    again = World(world.directory)
    assert again.run([], settled=lambda: bool(again.made)) == 0
    assert again.made == ["a-T"]
    (line,) = again.of("call")
    assert (line["outcome"], line["error"]) == ("recovered", "the recorder was killed")


def test_a_bundle_that_was_closed_as_the_recorder_was_killed_is_taken_up(world: World) -> None:
    with ledger(world.directory) as book:
        book.begin("a-T")
        book.begin("b-T")
        make(world.directory / "a-T")
    assert world.run([], settled=lambda: bool(world.made)) == 0
    with ledger(world.directory) as book:
        assert [one.name for one in book.present()] == ["a-T"] and book.begun == []


def test_what_was_never_recorded_leaves_nothing(world: World) -> None:
    world.acts = {
        "asks": fails(ConsentError("it was withdrawn")),
        "twice": fails(SecondRecorderError("already has a recorder, lkgate-1")),
        "late": fails(StoppedError("late")),
    }
    rooms = [room(name) for name in ("asks", "twice", "late")]
    world.run(rooms, rooms, rooms, settled=lambda: len(world.of("call")) == 3)
    reasons = {line["room"]: (line["outcome"], line["reason"]) for line in world.of("call")}
    assert reasons == {
        "asks": ("not_recorded", "consent"),
        "twice": ("skipped", "has_recorder"),
        "late": ("skipped", "stopping"),
    }
    assert [path.name for path in world.directory.iterdir() if path.is_dir()] == []


def test_more_rooms_than_the_bound(world: World) -> None:
    world.max_rooms = 2
    world.acts = dict.fromkeys("abcd", goes_on)
    world.run([room(name) for name in "abcd"])
    assert world.calls() == [
        ("a", "recorded"),
        ("b", "recorded"),
        ("c", "skipped"),
        ("d", "skipped"),
    ]


def test_who_waits_for_consent_keeps_nobody_out(world: World) -> None:
    world.max_rooms, world.waits, world.agreed = 1, True, {"c"}
    world.acts = dict.fromkeys("abc", goes_on)
    rooms = [room(name) for name in "abc"]

    def at_last() -> list[LiveRoom]:
        if world.begun:
            world.agreed |= {"a", "b"}
        return rooms

    world.run(rooms, at_last, settled=lambda: len(world.of("call")) == 2)
    assert world.calls() == [("a", "skipped"), ("b", "skipped"), ("c", "recorded")]
    assert {line.get("reason") for line in world.of("call")} == {"max_rooms", None}


def test_the_oldest_goes_but_not_while_the_hook_has_it(world: World) -> None:
    script = (
        "import os, sys, time; from pathlib import Path\n"
        "path = Path(os.environ['LKGATE_BUNDLE']); time.sleep(0.5)\n"
        "print(path.name, (path / 'manifest.json').is_file()); sys.exit(path.name == 'b-T')"
    )
    world.hook = Hook((sys.executable, "-c", script))
    world.limits = Limits(count=1)
    world.run([room("a")], [room("a"), room("b")], settled=lambda: len(world.of("hook")) == 2)
    told = sorted((line["output"], line.get("error")) for line in world.of("hook"))
    assert told == [("a-T True", None), ("b-T True", "exit code 1")]
    assert len(world.of("removed")) == 1
    assert len([path for path in world.directory.iterdir() if path.is_dir()]) == 1


def test_a_hook_that_a_kill_cut_off_is_run_again(world: World) -> None:
    with ledger(world.directory) as book:
        for name in ("a-T", "b-T", "c-T", "d-T"):
            book.begin(name)
            make(world.directory / name)
            book.close(name, now_unix_us=now(), hook=name != "c-T")
        book.hooked("b-T")
        shutil.rmtree(world.directory / "d-T")
    world.hook = Hook((sys.executable, "-c", "import os; print(os.environ['LKGATE_BUNDLE'])"))
    world.run([], settled=lambda: bool(world.of("hook")))
    assert [line["output"] for line in world.of("hook")] == [str(world.directory / "a-T")]
    with ledger(world.directory) as book:
        assert book.due == []
        assert len(book.present()) == 3
    again = World(world.directory, hook=world.hook)
    again.run([room("e")], settled=lambda: bool(again.of("hook")))
    assert [line["output"] for line in again.of("hook")] == [str(world.directory / "e-T")]


def test_nothing_is_begun_where_recordings_alone_fill_the_disk(world: World) -> None:
    async def large(out: Path, stop: asyncio.Event) -> None:
        left = unfinished(out, seconds=10)
        await stop.wait()
        shutil.rmtree(left)
        make(out)

    world.limits = Limits(disk_bytes=100_000)
    world.acts = {"a": large}
    begun = world.directory / "a-T.unfinished" / "journal" / "caller.pcm"

    def rooms() -> list[LiveRoom]:
        written = begun.exists() and begun.stat().st_size == 160_000
        return [room("a"), room("b")] if written else [room("a")]

    world.run(rooms, settled=lambda: ("b", "skipped") in world.calls())
    (line,) = [line for line in world.of("call") if line["room"] == "b"]
    assert line["reason"] == "keep_disk"


def test_a_bug_in_one_room_is_raised_when_all_others_are_closed(world: World) -> None:
    world.acts = {"bug": fails(ZeroDivisionError("by zero")), "a": goes_on}
    with pytest.raises(ZeroDivisionError):
        world.run([room("a"), room("bug")], settled=lambda: bool(world.of("bug")))
    assert world.made == ["a-T"]
    assert [line["error"] for line in world.of("bug")] == ["ZeroDivisionError: by zero"]


def test_two_rooms_whose_names_are_one_get_two_bundles(world: World) -> None:
    make(world.directory / "a-T")
    (world.directory / "a-T-2.unfinished").mkdir()
    world.run([room("a")], settled=lambda: bool(world.made))
    assert world.made == ["a-T-3"]
