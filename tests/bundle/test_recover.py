"""A journal cut anywhere closes to a bundle with everything before the cut."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkgate import bundle
from lkgate.errors import BundleError
from lkgate.model.event import Json
from tests.bundle.sessions import write_journal


def _whole_lines(data: bytes) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = []
    for line in data.split(b"\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.fixed_dictionaries(
        {
            "events.jsonl": st.floats(0, 1),
            "tracks.jsonl": st.floats(0, 1),
            "caller.pcm": st.floats(0, 1),
            "agent.pcm": st.floats(0, 1),
        }
    ),
    finish=st.booleans(),
)
def test_nothing_before_a_cut_is_lost(tmp_path: Path, cuts: dict[str, float], finish: bool) -> None:
    shutil.rmtree(tmp_path)
    write_journal(tmp_path / "j", finish=finish)
    root = tmp_path / "j" / "journal"
    left: dict[str, bytes] = {}
    cut: dict[str, bytes] = {}
    for name, share in cuts.items():
        data = (root / name).read_bytes()
        left[name] = data[: round(share * len(data))]
        cut[name] = data[len(left[name]) :]
        (root / name).write_bytes(left[name])

    closed = bundle.close_journal(tmp_path / "j", tmp_path / "out")
    assert bundle.verify(tmp_path / "out") == closed

    events = sorted(_whole_lines(left["events.jsonl"]), key=lambda line: int(str(line["t_us"])))
    kept = [event for event in closed.events if event.kind != "lkgate.recovered"]
    assert [(event.t_us, event.kind, event.data) for event in kept] == [
        (line["t_us"], line["kind"], line["data"]) for line in events
    ]
    tracks = _whole_lines(left["tracks.jsonl"])
    assert [track.id for track in closed.manifest.tracks] == [line["id"] for line in tracks]
    for track in closed.manifest.tracks:
        data = left[track.id + ".pcm"]
        assert track.samples == len(data) // 2
        if track.samples:
            expected = np.frombuffer(data[: track.samples * 2], "<i2")
            np.testing.assert_array_equal(bundle.read_pcm(tmp_path / "out", track), expected)

    # Said where it can be known: a torn line, half a sample, a track without its line, no end.
    torn = [
        name
        for name in ("events.jsonl", "tracks.jsonl")
        if left[name] and not left[name].endswith(b"\n") and not cut[name].startswith(b"\n")
    ]
    said = closed.manifest.absent.get("torn", "")
    for name in torn:
        assert f"{name}: " in said
    for name in ("caller.pcm", "agent.pcm"):
        if len(left[name]) % 2 or name.removesuffix(".pcm") not in [line["id"] for line in tracks]:
            assert f"{name}: " in said
    assert ("end" in closed.manifest.absent) == (not finish)
    (recovered,) = closed.of_kind("lkgate.recovered") or (None,)
    assert (recovered is None) == (finish and not said)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_a_cut_header(tmp_path: Path, share: float) -> None:
    shutil.rmtree(tmp_path)
    write_journal(tmp_path / "j")
    header = tmp_path / "j" / "journal" / "header.jsonl"
    data = header.read_bytes()
    header.write_bytes(data[: round(share * len(data))])
    if not _whole_lines(header.read_bytes()):
        with pytest.raises(BundleError) as caught:
            bundle.close_journal(tmp_path / "j", tmp_path / "out")
        assert caught.value.what == "the recording was cut off before it said what it is"
        assert not (tmp_path / "out").exists()
        return
    closed = bundle.close_journal(tmp_path / "j", tmp_path / "out")
    assert closed.manifest.id == "call-1"
    assert len(closed.events) >= 4
    assert bundle.verify(tmp_path / "out") == closed


def test_what_an_unfinished_recording_says(tmp_path: Path) -> None:
    write_journal(tmp_path / "j", {"cassette": "full"}, finish=False)
    with (tmp_path / "j" / "journal" / "events.jsonl").open("ab") as file:
        file.write(b'{"t_us":3')
    with (tmp_path / "j" / "journal" / "agent.pcm").open("ab") as file:
        file.write(b"x")
    with (tmp_path / "j" / "cassette" / "index.jsonl").open("ab") as file:
        file.write(b'{"key":')
    closed = bundle.close_journal(tmp_path / "j", tmp_path / "out")
    lost = ["events.jsonl: 9 bytes of a torn last line", "agent.pcm: half a sample"]
    assert closed.manifest.absent == {
        "end": "the recording was cut off, and closed afterwards from what was on disk",
        "torn": "; ".join(lost),
    }
    last = closed.events[-1]
    assert (last.kind, last.data) == ("lkgate.recovered", {"finished": False, "lost": lost})
    # The end of the longer track: 0.5 s of the caller's, which began 10 us late.
    assert (last.t_us, closed.manifest.duration_us) == (500_010, 500_010)
    assert closed.manifest.cassette == "partial"
    assert (tmp_path / "out" / "cassette" / "index.jsonl").read_text() == '{"key":"k"}\n'


def test_zeros_that_a_power_cut_leaves_are_a_torn_line(tmp_path: Path) -> None:
    write_journal(tmp_path / "j", finish=False)
    with (tmp_path / "j" / "journal" / "events.jsonl").open("ab") as file:
        file.write(bytes(100))
    closed = bundle.close_journal(tmp_path / "j", tmp_path / "out")
    assert closed.manifest.absent["torn"] == "events.jsonl: 100 bytes of a torn last line"


def test_a_broken_line_in_the_middle_is_not_passed_over(tmp_path: Path) -> None:
    write_journal(tmp_path / "j")
    events = tmp_path / "j" / "journal" / "events.jsonl"
    lines = events.read_bytes().split(b"\n")
    events.write_bytes(b"\n".join([lines[0], b"{", *lines[2:]]))
    with pytest.raises(BundleError) as caught:
        bundle.close_journal(tmp_path / "j", tmp_path / "out")
    assert str(caught.value) == (
        f"{events}:2: no line of a journal\n  Delete that line, or mend it, to recover the rest."
    )


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        bundle.close_journal(tmp_path, tmp_path / "out")
    assert str(caught.value) == (
        f"{tmp_path}: no recording to close: it has no journal/\n"
        "  Give the directory that `lkgate record` was writing to."
    )
