"""What a call over a room becomes, with a journal in the place of its recorder."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lkgate.bundle import Journal, read
from lkgate.errors import ConfigError, ReplayError
from lkgate.model.build import Build, Pipeline
from lkgate.model.event import Json
from lkgate.record.job import Diagnosis
from lkgate.replay.recordings import Recording
from lkgate.rooms.outcome import Take
from lkgate.rooms.pulse import Timeliness
from lkgate.rooms.take import develop
from tests.replay.recorded import RATE, record, tone

Events = list[tuple[str, dict[str, Json]]]

CAME: Events = [("participant_connected", {"identity": "bot", "kind": "agent"})]
IN_TIME = Timeliness(1000, 0, 1_000)
GAP: tuple[str, dict[str, Json]] = (
    "lkgate.gap",
    {"track": "caller", "cause": "late", "start_us": 0, "end_us": 300_000},
)


def developed(
    root: Path,
    events: Events,
    *,
    pipeline: Pipeline = "cascade",
    hung_up: bool = True,
    diagnosis: Diagnosis | None = None,
    timeliness: Timeliness = IN_TIME,
) -> Take:
    path = record(root, "ann")
    journal = Journal.create(root / "shot", header={"id": "x", "source": "record", "room": "r"})
    for role in ("caller", "agent"):
        track = journal.track(
            role,
            role=role,
            participant=role,
            sid=None,
            sample_rate_hz=RATE,
            offset_us=0,
        )
        track.write(tone(1))
    for kind, data in events:
        journal.event(0, kind, data)

    def finish(header: dict[str, Json]) -> None:
        journal.update_header(**header)
        journal.finish(duration_us=1_000_000)

    build = Build(
        "v3", Path(sys.executable), None, None, (), Path(), {}, command=("x",), pipeline=pipeline
    )
    shot: Any = SimpleNamespace(
        part=SimpleNamespace(recording=Recording("ann", path, read(path))),
        stand=SimpleNamespace(
            party=SimpleNamespace(build=build),
            worker=SimpleNamespace(id="AW_1", tail="the worker's last words"),
        ),
        directory=root / "shot",
        recorder=SimpleNamespace(finish=finish, diagnosis=diagnosis),
        hung_up=hung_up,
        wait_us=2_000_000,
        timeliness=timeliness,
    )
    return develop(shot, root / "bundle")


def test_it_is_a_replay_of_its_recording(tmp_path: Path) -> None:
    take = developed(tmp_path, CAME)
    recording = read(tmp_path / "recordings" / "ann").manifest
    made = read(take.path).manifest
    assert (made.source, made.id, made.cassette) == ("replay", recording.id, "none")
    assert made.recording_digest == recording.digest
    assert dict(made.absent) == {"cassette": "models answered live in a room"}
    assert take.late is None


def test_layers_that_it_lacks_are_not_applicable(tmp_path: Path) -> None:
    take = developed(tmp_path, CAME, pipeline="realtime")
    absent = take.bundle.manifest.absent
    assert sorted(absent) == ["cassette", "stt", "tts"]
    assert absent["tts"].startswith("not applicable: build `v3` is speech to speech")


def test_a_layer_that_it_uses_although_it_should_not_have_it(tmp_path: Path) -> None:
    used: Events = [("session_usage_updated", {"usage": [{"type": "tts"}]})]
    with pytest.raises(ConfigError, match="declared as realtime, and its session used TTS"):
        developed(tmp_path, CAME + used, pipeline="realtime")


@pytest.mark.parametrize(
    ("events", "timeliness", "late"),
    [
        ([GAP], IN_TIME, "300 ms of the caller's audio came late"),
        ([(GAP[0], {**GAP[1], "cause": "loss", "missing_us": 250_000})], IN_TIME, "250 ms of the"),
        ([(GAP[0], {**GAP[1], "cause": "loss", "missing_us": 90_000})], IN_TIME, None),
        ([(GAP[0], {**GAP[1], "cause": "discontinuous_transmission"})], IN_TIME, None),
        ([(GAP[0], {**GAP[1], "track": "agent"})], IN_TIME, None),
        ([("reconnecting", {})], IN_TIME, "the connection to the server was lost"),
        (
            [("lkgate.recording_ended", {"reason": "connection_lost"})],
            IN_TIME,
            "the connection to the server was lost",
        ),
        ([], Timeliness(1000, 0, 400_000), "this machine stood still for 400 ms"),
    ],
)
def test_what_makes_it_late(
    tmp_path: Path, events: Events, timeliness: Timeliness, late: str | None
) -> None:
    take = developed(tmp_path, CAME + events, timeliness=timeliness)
    assert (take.late is None) if late is None else (take.late or "").startswith(late)


def test_a_call_that_nobody_took(tmp_path: Path) -> None:
    why = Diagnosis("not_taken", "no worker took the job", "Start one.")
    with pytest.raises(ReplayError) as error:
        developed(tmp_path, [], hung_up=False, diagnosis=why)
    assert str(error.value) == (
        "ann into v3: no agent came within 2 s: no worker took the job (not_taken); it last "
        "printed:\nthe worker's last words\n  Start one."
    )
