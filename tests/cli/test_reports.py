"""``--report KIND=PATH``: refused before the replay if it cannot be, written after it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from lkgate.cli.reports import KINDS, Wanted, parse, write
from tests.gate.calls import V3
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
        (["text=/"], 1, "--report text: / is a directory, not a file"),
    ],
)
def test_what_cannot_be(values: list[str], gates: int, message: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        parse(values, gates=gates)
    assert refused.value.message == message


def test_what_can_be() -> None:
    assert parse(["markdown=a=b.md"], gates=1) == [Wanted("markdown", Path("a=b.md"))]
