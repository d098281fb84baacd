"""A track's samples, of which only what is asked for is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lkgate.bundle.journal_reader import JournalTrack


def _track(path: Path) -> JournalTrack:
    return JournalTrack(
        id="agent",
        role="agent",
        participant="bot",
        sid=None,
        sample_rate_hz=24_000,
        offset_us=0,
        path=path,
    )


@pytest.fixture
def track(tmp_path: Path) -> JournalTrack:
    path = tmp_path / "agent.pcm"
    # And half a sample, of a crash.
    path.write_bytes(np.arange(-3, 7, dtype="<i2").tobytes() + b"\x01")
    return _track(path)


def test_parts_of_a_file(track: JournalTrack) -> None:
    pcm = track.samples()
    assert len(pcm) == 10
    assert pcm[2:5].tolist() == [-1, 0, 1]
    assert pcm[8:99].tolist() == [5, 6]
    assert pcm[:].tolist() == list(range(-3, 7))
    assert pcm[5:5].tolist() == pcm[99:].tolist() == []
    assert pcm[:].dtype == np.int16


def test_the_head_of_a_file(track: JournalTrack) -> None:
    head = track.samples().head(4)
    assert (len(head), head[:].tolist(), head[2:9].tolist()) == (4, [-3, -2, -1, 0], [-1, 0])
    assert len(track.samples().head(99)) == 10


def test_what_is_not_consecutive_is_refused(track: JournalTrack) -> None:
    with pytest.raises(ValueError, match="do not follow each other"):
        track.samples()[::2]


def test_a_track_without_a_file_has_no_samples(tmp_path: Path) -> None:
    pcm = _track(tmp_path / "none.pcm").samples()
    assert (len(pcm), pcm[:].tolist()) == (0, [])
