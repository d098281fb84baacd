"""The order of the takes, what is placed again, and what is kept: with calls that are made up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lkgate.errors import ReplayError
from lkgate.model.build import Build
from lkgate.model.bundle import BuildIdentity
from lkgate.replay.recordings import read_recordings
from lkgate.rooms import RoomOptions, RoomProgress, RoomSet, replay_in_rooms, run
from lkgate.rooms.outcome import Take
from lkgate.rooms.pulse import Timeliness
from tests.replay.recorded import record

IN_TIME = Timeliness(1000, 0, 1_000)
LATE = Timeliness(1000, 0, 900_000)


@dataclass
class FakeRooms:
    """Calls that take no time.

    Attributes:
        late: numbers of the takes (from 0, in the order they began) that are late.
        broken: of those that no agent takes.
        placed: ``build:call#repeat`` in the order they began.
        together: the most that went on at a time, by build.
    """

    late: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    placed: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    going: int = 0
    most: int = 0

    async def shoot(self, part: Any, stand: Any, *, repeat: int, directory: Path, **_: Any) -> Any:
        number = len(self.placed)
        self.placed.append(f"{stand.build}:{part.recording.call}#{repeat}")
        self.going += 1
        self.most = max(self.most, self.going)
        await asyncio.sleep(0)
        self.going -= 1
        return SimpleNamespace(directory=directory, number=number)

    def develop(self, shot: Any, out: Path) -> Take:
        if shot.number in self.broken:
            raise ReplayError("no worker took the job")
        out.mkdir(parents=True)
        (out / "take").write_text(str(shot.number))
        late = shot.number in self.late
        bundle: Any = shot.number
        return Take(bundle, out, LATE if late else IN_TIME, "late" if late else None)

    @asynccontextmanager
    async def party(self, build: Build, options: RoomOptions) -> AsyncIterator[Any]:
        yield SimpleNamespace(build=build, identity=BuildIdentity(build.name, None))

    async def of(self, party: Any) -> Any:
        if not self.started or self.started[-1] != party.build.name:
            self.started.append(party.build.name)
        return SimpleNamespace(build=party.build.name)

    async def aclose(self) -> None:
        self.started.append("-")


def build(name: str) -> Build:
    return Build(name, Path(sys.executable), None, None, (), Path(), {}, command=("agent",))


def go(
    fake: FakeRooms,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    calls: tuple[str, ...] = ("ann", "bob"),
    interleave: str | None = None,
    repeats: int = 1,
    concurrency: int = 1,
) -> RoomSet:
    monkeypatch.setattr(run, "party", fake.party)
    monkeypatch.setattr(run, "shoot", fake.shoot)
    monkeypatch.setattr(run, "develop", fake.develop)
    monkeypatch.setattr(run, "Stands", lambda _: fake)
    recordings = read_recordings([record(root, call) for call in calls])
    return asyncio.run(
        replay_in_rooms(
            recordings,
            build("v3"),
            RoomOptions(root / ".lkgate", {}, repeats=repeats, concurrency=concurrency),
            interleave=build(interleave) if interleave else None,
        )
    )


def numbers(played: RoomSet) -> list[tuple[str, int, int, int | None]]:
    return [
        (
            one.recording.call,
            one.repeat,
            int((one.candidate.path / "take").read_text()),
            int((one.baseline.path / "take").read_text()) if one.baseline else None,
        )
        for one in played.calls
    ]


def test_every_call_as_often_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRooms()
    played = go(fake, tmp_path, monkeypatch, repeats=2)
    assert fake.placed == ["v3:ann#1", "v3:bob#1", "v3:ann#2", "v3:bob#2"]
    assert fake.started == ["v3", "-", "-"]
    assert numbers(played) == [
        ("ann", 1, 0, None),
        ("ann", 2, 2, None),
        ("bob", 1, 1, None),
        ("bob", 2, 3, None),
    ]
    assert (played.repeats, played.at_once, played.baseline) == (2, 1, None)
    kept = tmp_path / ".lkgate" / "rooms" / "v3"
    assert sorted(path.relative_to(kept).as_posix() for path in kept.glob("*/*")) == [
        "ann/1",
        "ann/2",
        "bob/1",
        "bob/2",
    ]
    assert list((tmp_path / ".lkgate" / "work").iterdir()) == []


def test_two_builds_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRooms()
    played = go(fake, tmp_path, monkeypatch, interleave="v1", repeats=2)
    assert fake.placed == [
        "v1:ann#1",
        "v3:ann#1",
        "v3:bob#1",
        "v1:bob#1",
        "v1:ann#2",
        "v3:ann#2",
        "v3:bob#2",
        "v1:bob#2",
    ]
    # A worker is not ended and started between two takes of one build.
    assert fake.started == ["v1", "v3", "v1", "v3", "v1", "-", "-"]
    assert numbers(played) == [
        ("ann", 1, 1, 0),
        ("ann", 2, 5, 4),
        ("bob", 1, 2, 3),
        ("bob", 2, 6, 7),
    ]
    assert played.baseline == BuildIdentity("v1", None)
    assert (tmp_path / ".lkgate/rooms/v3/bob/2-v1/take").read_text() == "7"


def test_a_late_take_is_placed_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRooms(late={1})
    played = go(fake, tmp_path, monkeypatch, repeats=1)
    assert fake.placed == ["v3:ann#1", "v3:bob#1", "v3:bob#1"]
    assert numbers(played) == [("ann", 1, 0, None), ("bob", 1, 2, None)]
    assert [one.candidate.late for one in played.calls] == [None, None]


def test_a_take_that_stays_late_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRooms(late={0, 1})
    played = go(fake, tmp_path, monkeypatch, repeats=1)
    assert fake.placed == ["v3:ann#1", "v3:ann#1", "v3:bob#1"]
    assert [one.candidate.late for one in played.calls] == ["late", None]


def test_as_many_at_once_as_were_seen_to_be_carried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeRooms(late={4})
    played = go(fake, tmp_path, monkeypatch, calls=("ann",), repeats=12, concurrency=4)
    # 1, then 2, then 4 of which one is late and placed again alone, then 2 at a time again.
    assert fake.placed[:9] == [f"v3:ann#{n}" for n in (1, 2, 3, 4, 5, 6, 7, 5, 8)]
    assert len(fake.placed) == 13
    assert (fake.most, played.at_once) == (4, 4)
    assert {one.candidate.late for one in played.calls} == {None}


def test_a_call_that_nobody_takes_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeRooms(broken={1})
    with pytest.raises(ReplayError, match="no worker took the job"):
        go(fake, tmp_path, monkeypatch, repeats=2)
    assert fake.placed == ["v3:ann#1", "v3:bob#1"]
    assert fake.started[-1] == "-"


def test_what_was_taken_before_is_kept_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeRooms(broken={6})
    with pytest.raises(ReplayError) as caught:
        go(fake, tmp_path, monkeypatch, calls=("ann",), interleave="v1", repeats=5)
    home = tmp_path / ".lkgate" / "rooms" / "v3"
    assert str(caught.value) == (
        f"no worker took the job\n  What was taken before it, 3 repeats, is kept in {home}."
    )
    kept = {path.name: (path / "take").read_text() for path in (home / "ann").iterdir()}
    assert kept == {"1": "1", "1-v1": "0", "2": "2", "2-v1": "3", "3": "5", "3-v1": "4"}


def test_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRooms(late={0})
    for name, value in {"party": fake.party, "shoot": fake.shoot, "develop": fake.develop}.items():
        monkeypatch.setattr(run, name, value)
    monkeypatch.setattr(run, "Stands", lambda _: fake)
    seen: list[RoomProgress] = []
    asyncio.run(
        replay_in_rooms(
            read_recordings([record(tmp_path, "ann")]),
            build("v3"),
            RoomOptions(tmp_path, {}, repeats=1),
            on_progress=seen.append,
        )
    )
    assert seen == [
        RoomProgress("ann: late; once more, alone", 0, 1),
        RoomProgress("ann into v3, repeat 1", 1, 1),
    ]
