from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lkgate.bundle import Journal, read
from lkgate.errors import ConfigError
from lkgate.record import Credentials, RecordOptions, record_room, recover

NOWHERE = Credentials("ws://127.0.0.1:9", "key", "s" * 40)


def record(out: Path) -> None:
    asyncio.run(record_room(RecordOptions("ward", out, NOWHERE)))


def cut_off(directory: Path) -> None:
    """What a recorder that was killed leaves."""
    journal = Journal.create(
        directory,
        header={"id": "call", "source": "record", "room": "ward", "started_at_unix_us": 1},
    )
    track = journal.track(
        "caller",
        role="caller",
        participant="ann",
        sid="TR_1",
        sample_rate_hz=24_000,
        offset_us=100_000,
    )
    track.write(bytes(48_000))
    journal.event(5, "connected", {"room": "ward", "sid": "RM_1"})
    journal.sync()
    with (directory / "journal" / "events.jsonl").open("ab") as file:
        file.write(b'{"t_us": 17, "ki')


def test_recover(tmp_path: Path) -> None:
    left = tmp_path / "call.unfinished"
    cut_off(left)
    assert recover(left) == tmp_path / "call"
    bundle = read(tmp_path / "call")
    assert bundle.manifest.duration_us == 1_100_000
    assert [event.kind for event in bundle.events] == ["connected", "lkgate.recovered"]
    assert not left.exists()


def test_recover_to_another_place_and_from_another_name(tmp_path: Path) -> None:
    cut_off(tmp_path / "a")
    assert recover(tmp_path / "a") == tmp_path / "a-recovered"
    cut_off(tmp_path / "b.unfinished")
    assert recover(tmp_path / "b.unfinished", out=tmp_path / "c") == tmp_path / "c"


def test_recover_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        recover(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: there is no unfinished recording here\n"
        "  A recording that was cut off ends in .unfinished."
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    left = tmp_path / "call.unfinished"
    cut_off(left)
    with pytest.raises(ConfigError) as caught:
        record(tmp_path / "call")
    assert str(caught.value) == (
        f"{left}: an earlier recording was cut off here\n"
        f"  Run 'lkgate recover {left}', or remove it."
    )
    (tmp_path / "call").mkdir()
    for attempt in (lambda: record(tmp_path / "call"), lambda: recover(left)):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert str(caught.value) == (
            f"{tmp_path / 'call'}: there is something already\n  Name another with --out."
        )
    assert (left / "journal").is_dir()
