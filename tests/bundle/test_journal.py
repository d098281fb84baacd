"""The journal's files, and what it refuses."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate.bundle import Journal
from lkgate.secret import Secrets


def _journal(directory: Path) -> Journal:
    return Journal.create(directory, header={"id": "a", "source": "record"})


def test_files_hold_what_was_given_in_order_of_arrival(tmp_path: Path) -> None:
    journal = _journal(tmp_path / "new" / "call")
    journal.event(20, "b", {"text": "é", "n": None})
    track = journal.track(
        "agent-2", role="agent", participant="p", sid=None, sample_rate_hz=24000, offset_us=-3
    )
    track.write(b"\x01\x00\x02\x00")
    track.write(b"")
    journal.event(10, "a", {})
    journal.update_header(room="r", id="b")
    journal.finish(duration_us=30)
    root = tmp_path / "new" / "call" / "journal"
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {
        "header.jsonl": b'{"id":"a","source":"record"}\n{"room":"r","id":"b"}\n'
        b'{"duration_us":30,"finished":true}\n',
        "events.jsonl": '{"t_us":20,"kind":"b","data":{"text":"é","n":null}}\n'
        '{"t_us":10,"kind":"a","data":{}}\n'.encode(),
        "tracks.jsonl": b'{"id":"agent-2","role":"agent","participant":"p","sid":null,'
        b'"sample_rate_hz":24000,"offset_us":-3}\n',
        "agent-2.pcm": b"\x01\x00\x02\x00",
    }
    assert track.samples == 2


def test_sync_puts_everything_on_disk_while_it_is_open(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    root = tmp_path / "journal"
    journal.sync()
    track = journal.track(
        "caller", role="caller", participant="p", sid="s", sample_rate_hz=8000, offset_us=0
    )
    track.write(b"ab")
    journal.event(1, "x", {})
    assert (root / "tracks.jsonl").stat().st_size > 0, "a track is known before its samples"
    assert (root / "caller.pcm").read_bytes() == b""
    journal.sync()
    assert (root / "caller.pcm").read_bytes() == b"ab"
    assert (root / "events.jsonl").read_bytes() == b'{"t_us":1,"kind":"x","data":{}}\n'
    journal.close()


def test_what_json_cannot_hold_is_null_and_what_utf8_cannot_hold_a_question_mark(
    tmp_path: Path,
) -> None:
    journal = _journal(tmp_path)
    journal.event(0, "x", {"a": [math.nan, 1.5, {"b": math.inf}], "c": "\udcff!"})
    journal.close()
    line = json.loads((tmp_path / "journal" / "events.jsonl").read_bytes())
    assert line["data"] == {"a": [None, 1.5, {"b": None}], "c": "?!"}


def test_refusals(tmp_path: Path) -> None:
    journal = _journal(tmp_path)

    def track(track_id: str) -> None:
        journal.track(
            track_id, role="agent", participant="p", sid=None, sample_rate_hz=8000, offset_us=0
        )

    with pytest.raises(ValueError, match="event x at -1 us: before the session's start"):
        journal.event(-1, "x", {})
    with pytest.raises(TypeError):
        journal.event(0, "x", {"a": object()})  # type: ignore[dict-item]
    for wrong in ("", "../agent", "Agent", "a b", "a" * 65, "a.b"):
        with pytest.raises(ValueError, match="does not match"):
            track(wrong)
    track("agent")
    with pytest.raises(ValueError, match="track id 'agent' is taken"):
        track("agent")
    writer = journal.track(
        "other", role="other", participant="p", sid=None, sample_rate_hz=8000, offset_us=0
    )
    with pytest.raises(ValueError, match="3 bytes are not whole 16-bit samples"):
        writer.write(b"abc")
    with pytest.raises(FileExistsError):
        _journal(tmp_path)
    journal.finish(duration_us=0)
    journal.close()
    with pytest.raises(ValueError, match="closed file"):
        journal.event(0, "x", {})
    with pytest.raises(ValueError, match="closed file"):
        writer.write(b"ab")


def test_works_where_only_the_standard_library_is() -> None:
    # As the harness loads it: nothing of lkgate's own dependencies can be imported.
    code = """
import sys
for name in ("numpy", "soundfile", "yaml", "jsonschema", "click", "rich", "livekit"):
    sys.modules[name] = None
from lkgate.bundle.journal import Journal
from lkgate.bundle import TrackWriter
print(Journal.__name__, TrackWriter.__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("Journal TrackWriter\n", "")


def test_no_event_holds_a_secret(tmp_path: Path) -> None:
    secrets = Secrets.of({"SHOP_KEY": "0123456789"})
    journal = Journal.create(tmp_path, header={}, secrets=secrets)
    journal.event(1, "said", {"item": {"text": ["with 0123456789"]}})
    journal.close()
    lines = (tmp_path / "journal" / "events.jsonl").read_text()
    assert lines == '{"t_us":1,"kind":"said","data":{"item":{"text":["with [SHOP_KEY]"]}}}\n'
