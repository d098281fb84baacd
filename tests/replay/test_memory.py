"""The memory of native answers on disk: where it lies, and what is forgotten."""

from __future__ import annotations

import os
from pathlib import Path

from lkgate.replay.memory import forget, memory_of


def remember(state: Path, call: str, size: int, used_at: int) -> Path:
    directory = memory_of(state, "v1", call)
    directory.mkdir(parents=True)
    (directory / "gain-1").write_bytes(bytes(size))
    os.utime(directory, (used_at, used_at))
    return directory


def test_a_name_is_no_path(tmp_path: Path) -> None:
    assert memory_of(tmp_path, "../v1", "a/b") == tmp_path / "memory" / "-v1" / "a-b"


def test_what_was_not_used_longest_goes_first(tmp_path: Path) -> None:
    new, old, older = (
        remember(tmp_path, call, 100, at) for call, at in (("a", 3), ("b", 2), ("c", 1))
    )
    forget(tmp_path, most_bytes=300)
    assert new.exists() and old.exists() and older.exists()
    forget(tmp_path, most_bytes=299)
    assert new.exists() and old.exists() and not older.exists()
    memory_of(tmp_path, "v1", "b")  # used again
    forget(tmp_path, most_bytes=100)
    assert old.exists() and not new.exists()


def test_where_nothing_was_remembered_nothing_is_forgotten(tmp_path: Path) -> None:
    forget(tmp_path)
    assert list(tmp_path.iterdir()) == []
