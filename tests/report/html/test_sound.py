"""A session's sound for a page: encoded once, kept whole whatever else goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lkgate.bundle import Journal, close_journal, read
from lkgate.report.html import Heard, hear
from lkgate.report.html.sound import SILENT

RATE_HZ = 16_000


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """A session of two seconds in which the caller hums."""
    journal = Journal.create(
        tmp_path / "open",
        header={"id": "hum", "source": "record", "room": "clinic", "started_at_unix_us": 1},
    )
    track = journal.track(
        "caller", role="caller", participant="ann", sid="TR_1", sample_rate_hz=RATE_HZ, offset_us=0
    )
    at = np.arange(2 * RATE_HZ)
    track.write((8000 * np.sin(at * 0.1)).astype(np.int16).tobytes())
    journal.finish(duration_us=2_000_000)
    close_journal(tmp_path / "open", tmp_path / "hum")
    return tmp_path / "hum"


def test_it_is_encoded_once(spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hear(spoken, read(spoken), cache=tmp_path / "heard")
    assert first.opus is not None
    assert first.opus.startswith(b"OggS")
    assert max(first.caller) > 0.2
    monkeypatch.setattr("lkgate.report.html.sound._encoded", None)
    assert hear(spoken, read(spoken), cache=tmp_path / "heard") == first


def test_two_runs_that_keep_the_same_sound_at_once(
    spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, bundle, replace = tmp_path / "heard", read(spoken), Path.replace
    others: list[Heard] = []

    def meanwhile(new: Path, place: Path) -> Path:
        """Another run comes between what was written and its name."""
        if not others:
            others.append(SILENT)
            others.append(hear(spoken, bundle, cache=cache))
        return replace(new, place)

    monkeypatch.setattr(Path, "replace", meanwhile)
    mine = hear(spoken, bundle, cache=cache)
    assert others[1].caller == mine.caller
    (kept,) = cache.iterdir()
    assert kept.name == f"{bundle.manifest.digest}.ogg"
    assert kept.read_bytes() == mine.opus


def test_what_another_run_tidied_away_is_encoded_anew(
    spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, bundle, read_bytes = tmp_path / "heard", read(spoken), Path.read_bytes
    first = hear(spoken, bundle, cache=cache)

    def gone(path: Path) -> bytes:
        if path.parent == cache:
            path.unlink()
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", gone)
    again = hear(spoken, bundle, cache=cache)
    assert again.opus is not None
    assert again.caller == first.caller
