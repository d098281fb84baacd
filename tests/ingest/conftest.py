"""A real recorded session, made once: ``record=True`` in virtual time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from lkgate.bundle import close_journal
from lkgate.model.bundle import Bundle
from tests.harness.program import replay
from tests.harness.program.replay import plan_and_pcm


@dataclass(frozen=True)
class Recorded:
    """What LiveKit left of a session, and the bundle of the same session as the room heard it."""

    report: Path
    audio: Path
    room: Bundle


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    work = tmp_path_factory.mktemp("recorded")
    program = replay.start(work, "reported.py", args=(str(work / "kept"),))
    try:
        call = program.call(caller=plan_and_pcm([0.6, 1.0, 0.6], into=1))
    finally:
        program.server.kill()
    assert call.result["status"] == "ok", call
    room = close_journal(call.directory / "out", work / "room")
    kept = work / "kept"
    return Recorded(kept / "session_report.json", kept / "audio.ogg", room)
