"""A call on disk that says the worst, 10 MB of it in one turn: every way to look at it is inert."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from lkgate.bundle import Journal, close_journal, read
from lkgate.cli.main import main
from lkgate.gate.evaluate import evaluate
from lkgate.gate.metrics import metric_versions
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.verdict import Baseline, CallResult, Verdict
from lkgate.report import json as json_report
from lkgate.report import junit, markdown, sarif, text
from lkgate.report.annotations import render as annotate
from tests.gate.test_demo import FILE
from tests.measure.builders import V1, Agent, Step, labels, play
from tests.report.hostile import TEXT, commands, moving
from tests.report.html.pages import page
from tests.report.html.test_page import tags_of
from tests.report.test_markdown import check_inert

RATE = 8000
# A bundle holds Unicode alone.
SAID = TEXT.replace("\ud800", "")
PATH = "../../../x/\x1b[2J::error::x"
LONG = "A" * 10_000_000
STEPS = (
    Step(SAID, f"Yes. {SAID}", tools=((SAID, {SAID: SAID, "path": PATH}, {SAID: SAID}),)),
    Step("And?", LONG, handoff=SAID),
    Step(PATH, f"{SAID} {PATH}", into=1.0),
)
WORSE = Agent(
    end_of_turn=1.4, interruptible=False, greeting=SAID, arguments={SAID: {SAID: f"not {SAID}"}}
)


def on_disk(played: Bundle, directory: Path) -> Path:
    """``played`` as a recording of a room where everything has a hostile name."""
    header: dict[str, Json] = {
        "id": PATH,
        "source": "record",
        "room": SAID,
        "absent": {"sip": SAID},
    }
    journal = Journal.create(directory.parents[2] / f"{directory.name}.open", header=header)
    for event in played.events:
        journal.event(event.t_us, event.kind, event.data)
    for track in played.manifest.tracks:
        writer = journal.track(
            track.role, role=track.role, participant=SAID, sid=SAID, sample_rate_hz=RATE,
            offset_us=0,
        )  # fmt: skip
        at = np.arange(played.manifest.duration_us * RATE // 1_000_000)
        pcm = np.zeros(at.size)
        for span in track.speech:
            on = slice(span.start_us * RATE // 1_000_000, span.end_us * RATE // 1_000_000)
            pcm[on] = 8000 * np.sin(at[on] * 0.3)
        writer.write(pcm.astype("<i2").tobytes())
    journal.finish(duration_us=played.manifest.duration_us)
    close_journal(directory.parents[2] / f"{directory.name}.open", directory)
    return directory


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("a") / "b" / "c" / "project"
    (root / "recordings").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.lkgate]\nrecordings = "recordings"\n')
    on_disk(play(STEPS, V1), root / "recordings" / "call")
    on_disk(play(STEPS, WORSE), root / "recordings" / "::error::x ##[y]")
    return root


@pytest.mark.parametrize(
    "words",
    [
        ("show", "recordings/call"),
        ("show", "recordings/call", "--events"),
        ("show", "recordings/::error::x ##[y]", "--metrics"),
        ("diff", "call", "::error::x ##[y]", "--verbose"),
        ("list",),
        ("promote", "recordings/call"),
    ],
    ids=" ".join,
)
def test_a_terminal_and_a_log(
    words: tuple[str, ...],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project)
    with pytest.raises(SystemExit):
        main(list(words))
    out, err = capsys.readouterr()
    for printed in (out, err):
        assert not moving(printed)
        assert not commands(printed)
    assert out or err


def test_every_report(project: Path) -> None:
    verdict = judged(project)
    assert verdict.status == "fail"
    assert verdict.calls[0].difference is not None
    told = text.render(verdict, build=SAID, digest=None, verbose=True).plain
    marked = markdown.render([verdict], build=SAID)
    noted = annotate([verdict], build=SAID)
    for made in (
        told,
        marked,
        noted,
        data := json_report.render(verdict, build=SAID, digest=None),
        tests := junit.render([verdict], build=SAID),
        log := sarif.render([verdict], build=SAID, digest=None),
        shown := page(verdict, build=SAID).text,
    ):
        assert not moving(made)
        assert len(made) < 2_000_000 or made is data
    assert not commands(told)
    check_inert(marked)
    assert all(line.startswith(("::error file=", "::warning file=")) for line in commands(noted))
    assert noted.count("\n") == len(commands(noted))
    assert not commands(data)
    json.loads(log)
    ElementTree.fromstring(tests)
    tags = tags_of(shown)
    assert tags.seen.count("script") == 1
    assert not {"img", "iframe"} & set(tags.seen)


def judged(project: Path) -> Verdict:
    name = "::error::x ##[y]"
    was, now = (
        replace(bundle, manifest=replace(bundle.manifest, recording_digest="d", source="replay"))
        for bundle in (read(project / "recordings" / one) for one in ("call", name))
    )
    truth = labels(*(step.says for step in STEPS), cohort={SAID: SAID})
    gate = replace(FILE, name=SAID, calls=(name,))
    result = CallResult(name, "d", truth, Baseline(was, metric_versions()), now)
    return evaluate(gate, [result], recordings=[name])
