"""``--report KIND=PATH``: refused before the replay if it cannot be, written after it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from lkgate.cli.exits import Exit
from lkgate.cli.failure import UnwrittenError, tell
from lkgate.cli.reports import KINDS, Wanted, parse, reported, write
from lkgate.errors import BundleError
from lkgate.report import html
from lkgate.report.html import Sources
from tests.gate.calls import V3
from tests.report.html.pages import sources, tone
from tests.report.test_text import verdict_of


def test_every_kind_is_written(tmp_path: Path) -> None:
    wanted = parse([f"{kind}={tmp_path / 'new' / kind}" for kind in KINDS], gates=1)
    write(wanted, [verdict_of(V3)], build="v3", digest="0" * 64, state=tmp_path, sources=dict)
    made = {kind: (tmp_path / "new" / kind).read_text("utf-8") for kind in KINDS}
    assert made["text"].startswith("FAIL  v3: 3 of 18 rules failed, 8 calls\n")
    assert made["html"].startswith("<!DOCTYPE html>\n")
    assert json.loads(made["json"])["verdict"] == "fail"
    assert ElementTree.fromstring(made["junit"]).get("name") == "lkgate v3"
    assert "### ❌ FAIL: v3" in made["markdown"]
    assert json.loads(made["sarif"])["version"] == "2.1.0"
    assert made["github"].startswith("::error file=gates/demo.yaml,")


def test_several_gates_in_one_file_or_page_each(tmp_path: Path) -> None:
    wanted = parse([f"junit={tmp_path / 'j.xml'}", f"html={tmp_path / 'report.html'}"], gates=2)
    verdicts = [verdict_of(V3), verdict_of(V3)]
    write(wanted, verdicts, build="v3", digest="0" * 64, state=tmp_path, sources=dict)
    assert len(ElementTree.parse(tmp_path / "j.xml").getroot()) == 16
    for page in ("report.html", "report-2.html"):
        assert (tmp_path / page).read_text("utf-8").startswith("<!DOCTYPE html>\n")
    assert (tmp_path / "report").read_text() == f"{tmp_path / 'report.html'}\n"


@pytest.mark.parametrize(
    ("values", "gates", "message"),
    [
        (["junit"], 1, "--report takes KIND=PATH, not 'junit'"),
        (["junit="], 1, "--report takes KIND=PATH, not 'junit='"),
        (
            ["junt=x"],
            1,
            "there is no report of kind 'junt'. Did you mean 'junit'? "
            "There are: text, html, json, junit, markdown, github, sarif.",
        ),
        (["text=x", "junit=x"], 1, "two reports cannot both be written to x"),
        (["json=x"], 2, "--report json= reports on exactly one gate: name it with --gate"),
        (["text=x"], 0, "--report needs a gate: leave --no-gate out"),
        (
            ["html=a.html", "text=a-3.html"],
            3,
            "two reports cannot both be written to a-3.html: of several gates, a.html has a page "
            "for each",
        ),
        (["text=/"], 1, "--report text: / is a directory, not a file"),
    ],
)
def test_what_cannot_be(values: list[str], gates: int, message: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        parse(values, gates=gates)
    assert refused.value.message == message


def test_what_can_be() -> None:
    assert parse(["markdown=a=b.md"], gates=1) == [Wanted("markdown", Path("a=b.md"))]
    assert len(parse(["html=a.html", "html=a-2.html"], gates=1)) == 2


def test_one_that_cannot_be_written_costs_neither_the_others_nor_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged() -> dict[str, Sources]:
        raise BundleError("agent.flac: damaged", where="recordings/book", next_step="Get it again.")

    (tmp_path / "file").touch()
    paths = {"html": "page", "markdown": "file/m.md", "junit": "j.xml"}
    wanted = parse([f"{kind}={tmp_path / path}" for kind, path in paths.items()], gates=1)
    unwritten = write(
        wanted, [verdict_of(V3)], build="v3", digest=None, state=tmp_path, sources=damaged
    )
    assert ElementTree.parse(tmp_path / "j.xml").getroot().get("name") == "lkgate v3"
    with pytest.raises(UnwrittenError) as raised:
        reported(Exit.GATE_FAILED, unwritten)
    assert tell(raised.value, debug=False) == Exit.GATE_FAILED
    assert capsys.readouterr().err == (
        f"the report html={tmp_path}/page was not written:\n"
        "error: recordings/book: agent.flac: damaged\n"
        "  Get it again.\n"
        f"the report markdown={tmp_path}/file/m.md was not written:\n"
        f"error: {tmp_path}/file: File exists\n"
        "  Free space there, make it writable, or name another place.\n"
    )


def test_sound_beside_a_page_goes_with_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict, report, audio = verdict_of(V3), tmp_path / "r.html", tmp_path / "r-audio"

    def make(given: dict[str, Sources], budget_bytes: int) -> set[str]:
        render = partial(html.render, budget_bytes=budget_bytes)
        with monkeypatch.context() as patch:
            patch.setattr(html, "render", render)
            wanted = [Wanted("html", report)]
            assert not write(
                wanted, [verdict], build="v3", digest=None, state=tmp_path, sources=lambda: given
            )
        return {path.name for path in audio.iterdir()} if audio.exists() else set()

    every = sources(verdict, tone())
    audio.mkdir()
    (audio / "notes.txt").touch()
    (audio / "0099.ogg").touch()  # of whom it is, nobody knows
    assert len(make(every, 0)) == 18
    one = {"long": every["long"]}
    assert make(one, 0) == {"notes.txt", "0000.ogg", "0001.ogg"}
    assert make(every, 24_000_000) == {"notes.txt"}
    assert make(one, 0) == {"notes.txt", "0000.ogg", "0001.ogg"}
    (audio / "notes.txt").unlink()
    assert make({}, 24_000_000) == set()
    assert not audio.exists()


@pytest.mark.parametrize(
    ("verdict", "error", "code"),
    [
        (Exit.PASS, BundleError("damaged"), Exit.INCOMPLETE),
        (Exit.PASS, KeyError("bug"), Exit.BUG),
        (Exit.GATE_FAILED, KeyError("bug"), Exit.GATE_FAILED),
        (Exit.NO_VERDICT, BundleError("damaged"), Exit.NO_VERDICT),
        (Exit.INCOMPLETE, BundleError("damaged"), Exit.INCOMPLETE),
    ],
)
def test_a_red_verdict_keeps_its_code(verdict: Exit, error: Exception, code: Exit) -> None:
    assert tell(UnwrittenError(verdict, {"html=r.html": error}), debug=False) == code
    assert reported(verdict, {}) == verdict
