"""Parts of several processes become one cassette in session time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lkgate.cassette import Cassette, Part, merge, read_worker
from lkgate.cassette.keys import stt_request, tool_request
from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.secret import Secrets

STARTED_US = 1_700_000_000_000_000


def part(directory: Path, room: str | None = "here") -> Part:
    return Part(directory, lambda: None if room is None else (room, "AJ_1"))


def call(to: Part, at_us: int, value: str) -> None:
    response: dict[str, Json] = {"ending": "done", "value": value, "took_us": 5}
    to.add("tool", STARTED_US + at_us, tool_request(tool="t", arguments={}), response)


def test_times_are_the_sessions_and_ordinals_follow_them(tmp_path: Path) -> None:
    one = part(tmp_path / "parts")
    call(one, 200, "second")
    call(one, 100, "first")
    merged = merge(tmp_path / "parts", tmp_path / "out", started_at_unix_us=STARTED_US, room="here")
    found = Cassette.open(tmp_path / "out").exchanges
    assert [(x.t_us, x.ordinal, x.response["value"]) for x in found] == [
        (100, 0, "first"),
        (200, 1, "second"),
    ]
    assert (merged.exchanges, merged.rooms, merged.lost) == ({"tool": 2}, ("here",), ())


def test_other_rooms_are_left_out_and_work_without_one_is_not(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    for number, room in enumerate(("here", "there", None)):
        call(part(parts, room), number, str(room))
    merged = merge(parts, tmp_path / "out", started_at_unix_us=STARTED_US, room="here")
    found = Cassette.open(tmp_path / "out").exchanges
    assert [x.response["value"] for x in found] == ["here", "None"]
    assert merged.rooms == ("here", "there")
    everything = merge(parts, tmp_path / "all", started_at_unix_us=STARTED_US, room=None)
    assert everything.exchanges == {"tool": 3}


def test_a_stream_that_was_cut_off_keeps_what_it_heard(tmp_path: Path) -> None:
    one = part(tmp_path)
    request = stt_request(model="m", language=None)
    whole = one.listen(STARTED_US + 10, request, STARTED_US + 4)
    event: dict[str, Json] = {"t_us": STARTED_US + 30, "type": "final_transcript"}
    one.heard(whole, {**event, "speech_end_us": STARTED_US + 20})
    one.listened(whole, STARTED_US + 40, "done", None)
    cut = one.listen(STARTED_US + 50, request, STARTED_US + 50)
    one.heard(cut, {"t_us": STARTED_US + 60, "type": "start_of_speech"})
    merge(tmp_path, tmp_path / "out", started_at_unix_us=STARTED_US, room="here")
    first, second = Cassette.open(tmp_path / "out").exchanges
    assert first.response == {
        "ending": "done",
        "base_us": 4,
        "closed_us": 40,
        "events": [{"t_us": 30, "type": "final_transcript", "speech_end_us": 20}],
    }
    assert second.response == {
        "ending": "cancelled",
        "base_us": 50,
        "closed_us": None,
        "events": [{"t_us": 60, "type": "start_of_speech"}],
    }


def test_blobs_come_along_and_only_those_that_are_needed(tmp_path: Path) -> None:
    one = part(tmp_path / "parts")
    one.put(b"speech of another room")
    digest = one.put(b"ab")
    audio: Json = {"blob": digest, "sample_rate_hz": 8_000, "channels": 1}
    request = tool_request(tool="t", arguments={"text": "long " * 200})
    one.add("tts", STARTED_US, request, {"ending": "done", "audio": audio})
    merge(tmp_path / "parts", tmp_path / "out", started_at_unix_us=STARTED_US, room="here")
    cassette = Cassette.open(tmp_path / "out")
    assert cassette.blob(digest) == b"ab"
    assert cassette.request(cassette.exchanges[0]) == request
    assert len(list((tmp_path / "out" / "blobs").iterdir())) == 2


def test_a_torn_last_line_loses_itself_alone(tmp_path: Path) -> None:
    call(part(tmp_path), 1, "x")
    path = tmp_path / f"part-{os.getpid()}.jsonl"
    path.write_bytes(path.read_bytes() + b'{"kind":"exch')
    merged = merge(tmp_path, tmp_path / "out", started_at_unix_us=STARTED_US, room="here")
    assert merged.exchanges == {"tool": 1}
    assert merged.lost == (f"{path.name}: the last line is torn",)


def test_an_altered_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "part-1.jsonl").write_bytes(b'{"kind":\n')
    with pytest.raises(BundleError, match=r"part-1\.jsonl:1: no JSON"):
        merge(tmp_path, tmp_path / "out", started_at_unix_us=0, room=None)


def test_facts_beside_the_exchanges(tmp_path: Path) -> None:
    assert read_worker(tmp_path) is None
    outside, inside = part(tmp_path, None), part(tmp_path)
    outside.write("worker", {"agent_name": "", "id": "AW_1"})
    inside.write("session", {"vad": "silero"})
    inside.write("unsupported", {"what": "speech-to-speech model X"})
    assert read_worker(tmp_path) == {"agent_name": "", "id": "AW_1"}
    merged = merge(tmp_path, tmp_path / "out", started_at_unix_us=0, room="here")
    assert merged.session == {"vad": "silero"}
    assert merged.unsupported == ("speech-to-speech model X",)
    assert merged.exchanges == {}
    assert not (tmp_path / "out").exists(), "an empty cassette is none"


def test_a_cassette_is_never_overwritten(tmp_path: Path) -> None:
    call(part(tmp_path), 1, "x")
    merge(tmp_path, tmp_path / "out", started_at_unix_us=0, room=None)
    with pytest.raises(BundleError, match="there is a cassette already"):
        merge(tmp_path, tmp_path / "out", started_at_unix_us=0, room=None)


def test_what_cannot_be_written_does_not_end_the_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = part(tmp_path)
    call(one, 1, "\ud800")
    call(one, 2, "x")
    assert "lkgate: not recorded: UnicodeEncodeError" in capsys.readouterr().err
    merged = merge(tmp_path, tmp_path / "out", started_at_unix_us=0, room=None)
    assert merged.exchanges == {"tool": 1}
    assert merged.unsupported[0].startswith("exchange that is no JSON: ")


def test_a_directory_that_cannot_be_made_does_not_end_the_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    one = part(tmp_path / "file" / "parts")
    call(one, 1, "x")
    assert one.put(b"x")
    assert capsys.readouterr().err.count("lkgate: not recorded: NotADirectoryError") == 2


def test_a_fork_writes_into_a_file_of_its_own(tmp_path: Path) -> None:
    one = part(tmp_path)
    call(one, 1, "parent")
    child = os.fork()
    if child == 0:
        one.forked()
        call(one, 2, "child")
        os._exit(0)
    os.waitpid(child, 0)
    names = sorted(path.name for path in tmp_path.glob("part-*.jsonl"))
    assert names == sorted(f"part-{pid}.jsonl" for pid in (os.getpid(), child))


def test_no_secret_is_written(tmp_path: Path) -> None:
    known = {"SHOP_KEY": "0123456789"}
    one = Part(tmp_path / "parts", lambda: None, lambda: Secrets.of(known))
    call(one, 100, "at 0123456789")
    known["LATE_KEY"] = "9876543210"  # of a file that the program has loaded
    one.add("tts", STARTED_US, {"text": "9876543210 " * 50}, {"ending": "done", "took_us": 1})
    for path in (tmp_path / "parts").rglob("*"):
        if path.is_file():
            assert not [value for value in known.values() if value.encode() in path.read_bytes()]
