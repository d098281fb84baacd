from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.bundle import Journal, close_journal, read
from lkgate.errors import ConfigError
from lkgate.record.ledger import LEDGER, Ledger, Made, ledger
from lkgate.record.retention import Limits, surplus, tidy
from tests.record.bundles import make

HOUR_US = 3_600_000_000


def one(name: str, closed_at: int, size: int = 10) -> Made:
    return Made(name, "sha", size, closed_at)


MADE = [one("c", 3), one("a", 1), one("b", 2)]


@pytest.mark.parametrize(
    ("limits", "open_bytes", "gone"),
    [
        (Limits(), 10**12, ""),
        (Limits(count=2), 0, "a"),
        (Limits(count=5), 0, ""),
        (Limits(age_us=8), 0, "a"),
        (Limits(disk_bytes=30), 0, ""),
        (Limits(disk_bytes=29), 0, "a"),
        (Limits(disk_bytes=30), 11, "ab"),
        (Limits(disk_bytes=5), 0, "abc"),
        (Limits(count=2, age_us=8, disk_bytes=10), 0, "ab"),
    ],
)
def test_surplus(limits: Limits, open_bytes: int, gone: str) -> None:
    found = surplus(MADE, limits, now_unix_us=10, open_bytes=open_bytes)
    assert "".join(made.name for made in found) == gone


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 50)), max_size=20),
    st.none() | st.integers(1, 10),
    st.none() | st.integers(1, 100),
    st.none() | st.integers(1, 500),
    st.integers(0, 200),
)
def test_what_stays_is_within_every_limit_and_newer(
    found: list[tuple[int, int]],
    count: int | None,
    age: int | None,
    disk: int | None,
    open_bytes: int,
) -> None:
    made = [one(str(n), at, size) for n, (at, size) in enumerate(found)]
    going = surplus(made, Limits(count, age, disk), now_unix_us=100, open_bytes=open_bytes)
    stays = [each for each in made if each not in going]
    assert len(set(going)) == len(going)
    assert count is None or len(stays) <= count
    assert age is None or all(each.closed_at_unix_us >= 100 - age for each in stays)
    assert disk is None or not stays or sum(each.bytes for each in stays) + open_bytes <= disk
    if stays and going:
        assert max(e.closed_at_unix_us for e in going) <= min(e.closed_at_unix_us for e in stays)


def close(book: Ledger, name: str, now: int) -> Path:
    book.begin(name)
    path = make(book.directory / name)
    book.close(name, now_unix_us=now)
    return path


def keep(book: Ledger, count: int, busy: tuple[str, ...] = ()) -> list[tuple[str, str | None]]:
    told: list[tuple[str, str | None]] = []
    tidy(
        book,
        Limits(count=count),
        now_unix_us=10 * HOUR_US,
        open_bytes=0,
        busy=busy,
        told=lambda made, kept: told.append((made.name, kept)),
    )
    return told


def test_only_what_it_made_is_ever_removed(tmp_path: Path) -> None:
    stranger = make(tmp_path / "another-recorder")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".a.removed.txt").write_text("mine")
    with ledger(tmp_path) as book:
        paths = [close(book, name, n) for n, name in enumerate("abcdef")]
        before = {path: path.read_bytes() for path in stranger.rglob("*") if path.is_file()}
        # Somebody labelled one, gave one a baseline, and put a link in the place of one.
        (paths[0] / "labels.yaml").write_text("calls: []\n")
        add_baseline(paths[1])
        paths[2].rename(tmp_path / "elsewhere")
        paths[2].symlink_to(tmp_path / "elsewhere")
        paths[3].rename(tmp_path / "moved")
        told = keep(book, 1, busy=("f",))
        assert [name for name, _ in told] == ["a", "b", "c"]
        assert str(told[0][1]).startswith(f"it was changed: {paths[0] / 'labels.yaml'}: is not in")
        assert told[1][1] == "something was added to it"
        assert told[2][1] == "it is no directory any more"
        assert keep(book, 1) == [("e", None)]
        assert [made.name for made in book.present()] == ["f"]
    assert not paths[4].exists()
    for kept in (paths[0], paths[1], tmp_path / "elsewhere", tmp_path / "moved", paths[5]):
        assert (kept / "manifest.json").is_file()
    assert {path: path.read_bytes() for path in before} == before
    assert (tmp_path / "notes.txt").exists() and (tmp_path / ".a.removed.txt").exists()


def add_baseline(bundle: Path) -> None:
    """An accepted replay, as ``lkgate accept`` puts it into a recording."""
    header = {"id": "b", "source": "replay", "recording_digest": read(bundle).manifest.digest}
    journal = Journal.create(bundle.parent / "open", header=header)
    journal.finish(duration_us=1)
    close_journal(bundle.parent / "open", bundle / "baseline")
    assert read(bundle)


def test_the_ledger_outlives_its_recorder(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        close(book, "a", 1)
        close(book, "b", 2)
        book.begin("c")
        book.begin("d")
        book.forget("d")
    with (tmp_path / LEDGER).open("a") as file:
        file.write('{"op": "begun", "na')  # the power went
    with ledger(tmp_path) as book:
        assert book.begun == ["c"]
        assert [made.name for made in book.present()] == ["a", "b"]
        assert keep(book, 1) == [("a", None)]
    with ledger(tmp_path) as book:
        assert [made.name for made in book.present()] == ["b"]


def test_a_removal_that_a_crash_cut_off_is_finished(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        path = close(book, "a", 1)
    path.rename(tmp_path / ".a.removed")
    (tmp_path / ".other.removed").mkdir()
    with ledger(tmp_path) as book:
        assert book.present() == []
    assert not (tmp_path / ".a.removed").exists()
    assert (tmp_path / ".other.removed").exists()


def test_a_long_life_does_not_make_a_long_ledger(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        close(book, "a", 1)
        make(tmp_path / "due")
        book.close("due", now_unix_us=2, hook=True)
        for n in range(1_500):
            book.begin(f"r{n}")
            book.forget(f"r{n}")
        assert len((tmp_path / LEDGER).read_text().splitlines()) < 2_000
    with ledger(tmp_path) as book:
        assert [made.name for made in book.present()] == ["a", "due"] and book.begun == []
        assert book.due == ["due"]


def test_a_full_disk_tears_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, line: bytes) -> int:
        return write(file, line[:7])

    write = os.write
    with ledger(tmp_path) as book:
        close(book, "a", 1)
        before = (tmp_path / LEDGER).read_bytes()
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            book.begin("b")
        with pytest.raises(OSError, match="No space left"):
            book.forget("a")
        # Neither on disk nor in mind: the next line is whole again.
        assert (tmp_path / LEDGER).read_bytes() == before
        assert (book.begun, [made.name for made in book.present()]) == ([], ["a"])
        monkeypatch.undo()
        book.begin("c")
    with ledger(tmp_path) as book:
        assert (book.begun, [made.name for made in book.present()]) == (["c"], ["a"])


def test_no_directory_can_be_made() -> None:
    with pytest.raises(ConfigError) as caught, ledger(Path("/proc/calls")):
        pass
    assert str(caught.value) == (
        "/proc/calls: no directory can be made here: No such file or directory\n"
        "  Name another with --out."
    )


def test_one_recorder_a_directory(tmp_path: Path) -> None:
    with ledger(tmp_path), pytest.raises(ConfigError) as caught, ledger(tmp_path):
        pass
    assert str(caught.value) == (
        f"{tmp_path}: another 'lkgate record --watch' writes here\n"
        "  Give each recorder a directory of its own with --out."
    )


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        json.dumps({"op": "made", "name": "a"}),
        json.dumps({"op": "begun", "name": "../a"}),
        json.dumps({"op": "burnt", "name": "a"}),
    ],
)
def test_a_ledger_that_is_none(tmp_path: Path, line: str) -> None:
    (tmp_path / LEDGER).write_text('{"op": "begun", "name": "x"}\n' + line + "\n")
    with pytest.raises(ConfigError) as caught, ledger(tmp_path):
        pass
    assert str(caught.value) == (
        f"{tmp_path / LEDGER}:2: this is no line of a recorder's ledger\n"
        "  Move the file away: bundles made until now are then never removed."
    )
