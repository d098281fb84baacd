"""Repeats over live rooms in one pool: none is chosen, and a late one is no evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from lkgate.bundle import Journal, close_journal, read
from lkgate.cli.judging import judge_rooms
from lkgate.gate.load import parse
from lkgate.model.bundle import BuildIdentity, Role
from lkgate.model.gate import Gate
from lkgate.model.verdict import LiveRoom, Verdict
from lkgate.replay.recordings import Recording
from lkgate.report import markdown
from lkgate.report.json import render as render_json
from lkgate.report.json import schema
from lkgate.report.text import render
from lkgate.rooms.outcome import Played, RoomSet, Take
from lkgate.rooms.pulse import Timeliness
from tests.replay.recorded import RATE, record, tone

HEAD = "version: 1\ncalls: [ann]\nrules:\n"
COMPLETED = "  - {id: completed, metric: call_completed, aggregate: mean, min: 100%}\n"
IMPATIENT = "  - {id: patient, metric: caller_impatient, aggregate: sum, max_increase: 0}\n"
LATE = "this machine stood still for 300 ms, allowed are 150 ms"


def gate(*rules: str) -> Gate:
    return parse(HEAD + "".join(rules), "g.yaml")


def take(
    directory: Path,
    recording: Recording,
    *,
    completed: bool = True,
    impatient: int = 0,
    late: str | None = None,
) -> Take:
    """A call to an agent that greets, after which the caller hangs up, or does not get to it."""
    directory.mkdir(parents=True)
    digest = recording.bundle.manifest.digest
    journal = Journal.create(
        directory / "j",
        header={"id": "ann", "source": "replay", "room": "r", "recording_digest": digest},
    )
    sides: tuple[tuple[Role, str], ...] = (("caller", "ann"), ("agent", "bot"))
    for role, who in sides:
        track = journal.track(
            role, role=role, participant=who, sid=None, sample_rate_hz=RATE, offset_us=0
        )
        track.write(tone(1) if role == "agent" else bytes(2 * RATE))
        track.write(bytes(2 * RATE) if role == "agent" else tone(1))
    journal.event(0, "agent_state_changed", {"new_state": "listening"})
    for _ in range(impatient):
        journal.event(5, "lkgate.caller_impatient", {"index": 0})
    if completed:
        journal.event(1_900_000, "lkgate.caller_hangup", {})
    journal.finish(duration_us=2_000_000)
    bundle = close_journal(directory / "j", directory / "b")
    return Take(bundle, directory / "b", Timeliness(1, 0, 0), late)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    path = record(tmp_path, "ann")
    return Recording("ann", path, read(path))


def judged(
    rules: Gate,
    recording: Recording,
    takes: list[Take],
    baselines: list[Take] | None = None,
    every: list[str] | None = None,
) -> Verdict:
    before: list[Take] | list[None] = baselines or [None] * len(takes)
    played = tuple(
        Played(recording, n, one, was)
        for n, (one, was) in enumerate(zip(takes, before, strict=True), 1)
    )
    v1 = BuildIdentity("v1", None) if baselines else None
    found = RoomSet(BuildIdentity("v3", None), v1, played, len(takes), 1)
    return judge_rooms(rules, found, every=every)


def test_one_bad_repeat_is_not_outweighed(recording: Recording, tmp_path: Path) -> None:
    takes = [take(tmp_path / str(n), recording, completed=n != 1) for n in range(3)]
    verdict = judged(gate(COMPLETED), recording, takes)
    (finding,) = verdict.findings
    assert (verdict.status, finding.n) == ("fail", 3)
    assert finding.observed == pytest.approx(2 / 3)
    assert [place.call for place in finding.evidence] == ["ann#2"]
    assert [call.call for call in verdict.calls] == ["ann#1", "ann#2", "ann#3"]
    assert (verdict.missing, verdict.left_out, verdict.unlisted) == ((), (), ())


def test_all_good(recording: Recording, tmp_path: Path) -> None:
    takes = [take(tmp_path / str(n), recording) for n in range(2)]
    assert judged(gate(COMPLETED), recording, takes).status == "pass"


def test_one_repeat_keeps_the_calls_name(recording: Recording, tmp_path: Path) -> None:
    verdict = judged(gate(COMPLETED), recording, [take(tmp_path / "0", recording)])
    assert [call.call for call in verdict.calls] == ["ann"]
    assert verdict.status == "pass"


def test_a_late_repeat_is_no_evidence(recording: Recording, tmp_path: Path) -> None:
    bad = take(tmp_path / "0", recording, completed=False, late=LATE)
    verdict = judged(gate(COMPLETED), recording, [bad, take(tmp_path / "1", recording)])
    assert verdict.status == "no_verdict"
    assert verdict.findings[0].reason == f"ann#1: {LATE}"


def test_a_late_repeat_of_the_baseline_is_no_evidence(recording: Recording, tmp_path: Path) -> None:
    was = take(tmp_path / "0", recording, late=LATE)
    now = take(tmp_path / "1", recording)
    verdict = judged(gate(COMPLETED, IMPATIENT), recording, [now], [was])
    assert verdict.status == "no_verdict"
    assert verdict.findings[0].reason == f"ann: baseline: {LATE}"


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [([1, 0], [0, 1], "pass"), ([1, 0], [1, 1], "fail"), ([2, 0], [0, 0], "pass")],
)
def test_held_to_the_repeats_of_the_other_build(
    recording: Recording, tmp_path: Path, before: list[int], after: list[int], status: str
) -> None:
    was = [take(tmp_path / f"a{n}", recording, impatient=k) for n, k in enumerate(before)]
    now = [take(tmp_path / f"b{n}", recording, impatient=k) for n, k in enumerate(after)]
    verdict = judged(gate(COMPLETED, IMPATIENT), recording, now, was)
    assert verdict.status == status
    assert verdict.findings[1].baseline == sum(before)
    assert verdict.findings[1].observed == sum(after)


def test_without_a_baseline_a_change_has_no_verdict(recording: Recording, tmp_path: Path) -> None:
    verdict = judged(gate(COMPLETED, IMPATIENT), recording, [take(tmp_path / "0", recording)])
    assert verdict.status == "no_verdict"
    assert verdict.findings[1].reason == "ann: no baseline was accepted"


def test_calls_that_were_not_placed(recording: Recording, tmp_path: Path) -> None:
    rules = replace(gate(COMPLETED), calls=("ann", "bob"))
    takes = [take(tmp_path / str(n), recording) for n in range(2)]
    chosen = judged(rules, recording, takes, every=["ann", "bob"])
    assert (chosen.status, chosen.left_out) == ("no_verdict", ("bob",))
    lost = judged(rules, recording, takes)
    assert lost.status == "no_verdict"
    assert [problem.call for problem in lost.missing] == ["bob#1", "bob#2"]


def test_the_report_says_that_it_was_a_live_room(recording: Recording, tmp_path: Path) -> None:
    takes = [take(tmp_path / str(n), recording) for n in range(3)]
    verdict = judged(gate(COMPLETED), recording, takes, takes)
    live = LiveRoom(3, "v1", 2)
    text = render(verdict, build="v3", digest=None, live=live).plain
    assert text.splitlines() == [
        "PASS  v3: 1 rule holds, 3 takes of 1 call",
        "",
        "+ completed  mean 100.0 %  (n 3)",
        "",
        "A live room: real clock, live models, 3 repeats of each call in one pool, no digest: "
        "another run will differ",
        "  Every repeat is held to one of v1, placed in turn with it",
        "",
        "replays live, without a digest  gate g.yaml",
    ]
    alone = render(verdict, build="v3", digest=None, live=LiveRoom(3, None, 1)).plain
    assert "--interleave BUILD places both alike" in alone
    summary = markdown.render([verdict], build="v3", live=live)
    assert "A live room: real clock, live models, 3 repeats of each call in one pool" in summary
    report = json.loads(render_json(verdict, build="v3", digest=None, live=live))
    jsonschema.validate(report, schema())
    assert report["digest"] is None
    assert report["live_room"] == {"repeats": 3, "interleaved": "v1", "at_once": 2}
