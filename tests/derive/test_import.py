"""A call that LiveKit itself recorded, imported and replayed with nothing else to answer it."""

from __future__ import annotations

import sys
from pathlib import Path

from lkgate.derive import derive
from lkgate.ingest import ImportOptions, import_call
from lkgate.measure import turns_of
from lkgate.model.build import Build
from lkgate.replay.recordings import read_recordings
from lkgate.replay.run import ReplayOptions, replay
from tests.harness.program.replay import PROGRAMS
from tests.ingest.conftest import Recorded


def test_a_session_report_replays_without_a_model(tmp_path: Path, recorded: Recorded) -> None:
    out = tmp_path / "recordings" / "a"
    import_call(ImportOptions((recorded.report, recorded.audio), out))
    recordings = read_recordings([out])
    assert derive(out, recordings[0].bundle, tmp_path / "cassette").lacks == ()
    program = PROGRAMS / "reported.py"
    args = (str(tmp_path / "kept"),)
    build = Build("reported", Path(sys.executable), program, None, args, PROGRAMS, {})
    done = replay(recordings, build, ReplayOptions(tmp_path / "state"), lambda _: None)
    outcome = done.calls[0].outcome
    assert outcome.bundle is not None, outcome.failure
    again, before = turns_of(outcome.bundle), turns_of(recordings[0].bundle)
    assert [turn.role for turn in again] == [turn.role for turn in before]
    for now, was in zip(again, before, strict=True):
        assert now.interrupted == was.interrupted
        # How much was spoken when the caller interrupted is a matter of milliseconds.
        assert str(was.text).strip().startswith(str(now.text)), (now.text, was.text)
        assert now.interrupted or now.text == str(was.text).strip()
    answers = outcome.bundle.of_kind("lkgate.model_answer")
    assert {event.data["origin"] for event in answers} <= {"derived", "estimated"}
    assert {event.data["modality"] for event in answers} == {"stt", "llm", "tts", "tool"}
