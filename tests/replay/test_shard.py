"""Shards: every call in exactly one, and nothing but one whole run is gathered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate import __version__
from lkgate.bundle import read
from lkgate.errors import BundleError, ConfigError
from lkgate.replay.outcome import Failure
from lkgate.replay.recordings import Recording
from lkgate.replay.run import replay
from lkgate.replay.shard import (
    MOST,
    SHARD,
    Shard,
    Share,
    find_shards,
    gather,
    identity_of,
    read_shard,
    run_of,
    split,
    write_shard,
)
from lkgate.replay.whole import Flaw, flaws
from tests.replay.recorded import record
from tests.replay.test_run import build, options, recordings


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    root = tmp_path_factory.mktemp("recorded")
    record(root, "one")
    (one,) = recordings(root)
    return one


def lasting(one: Recording, call: str, duration_us: int) -> Recording:
    manifest = replace(one.bundle.manifest, duration_us=duration_us)
    return Recording(call, one.path, replace(one.bundle, manifest=manifest))


@given(st.lists(st.integers(0, 10_000_000), max_size=12), st.integers(1, 5), st.randoms())
def test_every_call_is_in_exactly_one_share(
    recorded: Recording, lengths: list[int], of: int, chance: object
) -> None:
    calls = [lasting(recorded, f"call-{n}", length) for n, length in enumerate(lengths)]
    shares = [split(calls, Share(number, of)) for number in range(1, of + 1)]
    names = [one.call for share in shares for one in share]
    assert sorted(names) == sorted(one.call for one in calls)
    # The same for recordings that were found in another order.
    turned = calls[::-1]
    assert [
        {one.call for one in split(turned, Share(number, of))} for number in range(1, of + 1)
    ] == [{one.call for one in share} for share in shares]
    # No share has more than another by more than its last, shortest call.
    sums = [sum(one.bundle.manifest.duration_us for one in share) for share in shares]
    for share, length in zip(shares, sums, strict=True):
        if share:
            shortest = min(one.bundle.manifest.duration_us for one in share)
            assert length - shortest <= min(sums)


def sharded(tmp_path: Path, of: int, does: str = "ok", name: str = "shards") -> list[Shard]:
    every = recordings(tmp_path)
    made = build(tmp_path, does)
    for number in range(1, of + 1):
        share = Share(number, of)
        done = replay(split(every, share), made, options(tmp_path), lambda _: None)
        run = run_of("v9", made, done.build, options(tmp_path), every, named=False)
        write_shard(tmp_path / name / str(number), share, run, done.calls)
    return [read_shard(place) for place in find_shards([tmp_path / name])]


def here(tmp_path: Path) -> dict[str, str]:
    return {one.call: identity_of(one) for one in recordings(tmp_path)}


def whats(found: list[Flaw]) -> list[str]:
    return [flaw.what for flaw in found]


def test_shards_are_the_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        record(tmp_path, name)
    whole = replay(recordings(tmp_path), build(tmp_path), options(tmp_path), lambda _: None)
    files = {
        path.name: path.read_bytes()
        for path in (tmp_path / ".lkgate/replays/v9/one").iterdir()
        if path.is_file()
    }
    shards = sharded(tmp_path, 3)
    assert [len(one.ends) for one in shards] == [1, 1, 0]
    assert flaws(shards, here(tmp_path), __version__) == []
    state = tmp_path / "elsewhere"
    merged = gather(shards, recordings(tmp_path), state)
    assert (merged.digest, merged.build) == (whole.digest, whole.build)
    path = merged.calls[0].path
    assert path == state / "replays/v9/one"
    assert {path.name: path.read_bytes() for path in path.iterdir() if path.is_file()} == files
    assert read(path) == whole.calls[0].outcome.bundle


def test_a_call_that_failed_is_told_with_its_reason(tmp_path: Path) -> None:
    record(tmp_path, "one")
    (shard,) = sharded(tmp_path, 1, does="error")
    end = shard.ends["one"]
    assert isinstance(end, Failure)
    stale = tmp_path / "state/replays/v9/one"
    stale.mkdir(parents=True)
    merged = gather([shard], recordings(tmp_path), tmp_path / "state")
    assert merged.digest is None and not stale.exists()
    assert merged.calls[0].outcome.failure == end


def test_what_is_no_whole_run(tmp_path: Path) -> None:
    record(tmp_path, "one")
    record(tmp_path, "two")
    first, second = sharded(tmp_path, 2)
    known = here(tmp_path)
    again = "Run every shard again from one commit: `lkgate replay --against v9 --shard i/2`"
    assert flaws([first], known, __version__) == [
        Flaw(
            "shard 2 of 2 is missing",
            "Run `lkgate replay --against v9 --shard 2/2`, and merge again.",
        )
    ]
    many = replace(first, share=Share(7, MOST))
    assert flaws([many], known, __version__) == [
        Flaw(
            "999998 of 999999 shards are missing: 1, 2, 3, 4, 5, 6, 8, 9, 10 and others",
            "Run `lkgate replay --against v9 --shard i/999999` for each of them, and merge again.",
        )
    ]
    assert whats(flaws([first, second, second], known, __version__)) == [
        f"shard 2 of 2 is there 2 times: {second.place}, {second.place}"
    ]
    other = replace(second.run.build, digest="f" * 64)
    assert flaws([first, replace(second, run=replace(second.run, build=other))], known, "?") == [
        Flaw(
            f"{first.place} and {second.place} are of different builds "
            f"(v9 {(first.run.build.digest or '')[:12]}: {versions(first)} and "
            f"v9 ffffffffffff: {versions(first)})",
            again,
        )
    ]
    changed = {**second.run.recordings, "two": "another"}
    assert whats(
        flaws([first, replace(second, run=replace(second.run, recordings=changed))], known, "?")
    ) == [f"{first.place} and {second.place} are of different recordings (two)"]
    assert whats(
        flaws([first, replace(second, run=replace(second.run, settings="x"))], known, "?")
    ) == [f"{first.place} and {second.place} are of different settings or options"]
    assert whats(flaws([first, replace(second, share=Share(2, 3))], known, "?")) == [
        f"{first.place} and {second.place} are of different splits (1/2 and 2/3)"
    ]
    assert whats(flaws([first, second], {**known, "three": "new"}, __version__)) == [
        "these recordings are not those that were replayed: three"
    ]
    assert whats(flaws([first, second], {"one": known["one"]}, __version__)) == [
        "these recordings are not those that were replayed: two"
    ]
    assert whats(flaws([first, second], known, "9.9")) == [
        f"the shards were replayed by lkgate {__version__}, and this is 9.9"
    ]
    assert whats(flaws([first, replace(second, ends={})], known, __version__)) == [
        "the shards do not hold these calls once each: " + "".join(second.ends)
    ]


def versions(shard: Shard) -> str:
    return ", ".join(f"{name} {value}" for name, value in shard.run.build.versions.items())


def test_a_damaged_shard_is_refused(tmp_path: Path) -> None:
    record(tmp_path, "one")
    (shard,) = sharded(tmp_path, 1)
    events = shard.place / "replays/one/events.jsonl"
    sound = events.read_bytes()
    events.write_bytes(sound + b" ")
    with pytest.raises(BundleError):
        gather([shard], recordings(tmp_path), tmp_path / "state")
    events.write_bytes(sound)
    file = shard.place / SHARD
    text = json.loads(file.read_text())
    for broken in (
        "{",
        json.dumps({**text, "shard": 2}),
        json.dumps({**text, "calls": {"../one": {"digest": "0" * 64}}}),
        json.dumps({**text, "format": 2}),
        json.dumps({**text, "of": MOST + 1}),
        json.dumps({**text, "build": None}),
    ):
        file.write_text(broken)
        with pytest.raises(BundleError):
            read_shard(shard.place)
    file.write_text(json.dumps({**text, "calls": {"one": {"digest": "0" * 64}}}))
    with pytest.raises(BundleError, match="not the replay that its shard names"):
        gather([read_shard(shard.place)], recordings(tmp_path), tmp_path / "state")


def test_nothing_else_is_written_over(tmp_path: Path) -> None:
    record(tmp_path, "one")
    (tmp_path / "shards/1").mkdir(parents=True)
    (tmp_path / "shards/1/mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="no shard's directory"):
        sharded(tmp_path, 1)
    assert (tmp_path / "shards/1/mine.txt").read_text() == "mine"
