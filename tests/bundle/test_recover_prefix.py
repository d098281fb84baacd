"""Any prefix of any of a journal's files is recovered: only what was not there is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkgate import bundle
from lkgate.record import recover
from tests.bundle.sessions import write_journal

FILES = ("events.jsonl", "tracks.jsonl", "caller.pcm", "agent.pcm")


def journal(directory: Path) -> dict[str, bytes]:
    """A recording that was cut off; the content of its files."""
    root = write_journal(directory, finish=False, tape=False) / "journal"
    return {path.name: path.read_bytes() for path in root.iterdir()}


@st.composite
def places(draw: st.DrawFn, name: str) -> int | None:
    """Where to cut a file: how many of its bytes are left; ``None``: it is missing.

    At the beginning and the end, at and around each end of a line, within a character of several
    bytes, within a sample, anywhere.
    """
    data = CONTENT[name]
    near = {0, 1, len(data) - 1, len(data)}
    for at, byte in enumerate(data):
        if name.endswith(".jsonl") and byte == ord("\n"):
            near |= {at, at + 1, at + 2}
        if name.endswith(".jsonl") and byte >= 0xC0:  # a character's first byte
            near |= {at, at + 1}
    sizes = sorted(size for size in near if 0 <= size <= len(data))
    return draw(st.none() | st.sampled_from(sizes) | st.integers(0, len(data)))


def content() -> dict[str, bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        return journal(Path(directory) / "j")


CONTENT = content()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.fixed_dictionaries({name: places(name) for name in FILES}))
def test_every_cut_is_recovered(tmp_path: Path, cut: dict[str, int | None]) -> None:
    shutil.rmtree(tmp_path)
    left = tmp_path / "call.unfinished"
    journal(left)
    kept = {
        name: CONTENT[name] if size is None else CONTENT[name][:size] for name, size in cut.items()
    }
    for name, size in cut.items():
        path = left / "journal" / name
        if size is None:
            path.unlink()
            kept[name] = b""
        else:
            path.write_bytes(kept[name])

    out = recover(left)
    closed = bundle.verify(out)
    assert not left.exists()

    whole = kept["events.jsonl"].count(b"\n")
    # The last may be whole but for its end of line.
    events = [event for event in closed.events if event.kind != "lkgate.recovered"]
    assert whole <= len(events) <= whole + 1
    lines = [json.loads(line) for line in CONTENT["events.jsonl"].splitlines()[: len(events)]]
    assert sorted((event.t_us, event.kind) for event in events) == sorted(
        (line["t_us"], line["kind"]) for line in lines
    )
    tracks = {track.id: track for track in closed.manifest.tracks}
    for number, track_id in enumerate(("caller", "agent")):
        known = kept["tracks.jsonl"].count(b"\n") > number
        assert track_id in tracks or not known
        if track_id in tracks:
            # Ahead of its line or behind it: every whole sample there is.
            pcm = np.frombuffer(kept[f"{track_id}.pcm"][: len(kept[f"{track_id}.pcm"]) & ~1], "<i2")
            assert tracks[track_id].samples == len(pcm)
            if len(pcm):
                np.testing.assert_array_equal(bundle.read_pcm(out, tracks[track_id]), pcm)
    assert [event.kind for event in closed.events].count("lkgate.recovered") == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(size=places("header.jsonl"), zeros=st.integers(0, 5000))
def test_a_header_of_any_length(tmp_path: Path, size: int | None, zeros: int) -> None:
    """A power cut may leave zeros where data was not written yet, and the header may be among it.

    The directory's name and its samples are enough for a bundle.
    """
    shutil.rmtree(tmp_path)
    left = tmp_path / "call.unfinished"
    journal(left)
    path = left / "journal" / "header.jsonl"
    if size is None:
        path.unlink()
    else:
        path.write_bytes(CONTENT["header.jsonl"][:size] + bytes(zeros))
    closed = bundle.verify(recover(left))
    assert closed.manifest.id in ("call-1", "call")
    assert closed.manifest.source == "record"
    assert [track.id for track in closed.manifest.tracks] == ["caller", "agent"]
    assert len(closed.events) == 5
