"""In a job, nothing that lkgate prints is a command to the runner."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from rich.text import Text

from lkgate.cli.joblog import in_a_job
from lkgate.cli.main import main
from lkgate.cli.terminal import print_report, stderr
from tests.report.hostile import TEXT, commands, moving

SAID = TEXT.replace("\ud800", "")
NAMES = ("::error::x", "##[add-mask]e", " ::add-mask::e", "\x1b[2J\u202e")


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


def test_whatever_way_it_is_printed(job: None, capsys: pytest.CaptureFixture[str]) -> None:
    with in_a_job():
        click.echo(SAID)
        click.echo(SAID, err=True)
        print(SAID, file=sys.stderr)
        print_report(Text(SAID))
        # Broken at the console's width, what stood in a line's middle begins one.
        stderr().print(Text("word " * 40 + "::error::x " * 40))
    out, err = capsys.readouterr()
    assert not commands(out)
    assert not commands(err)
    assert out.startswith("\u2236:stop-commands::first <script>")


def test_elsewhere_streams_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_a_job({}):
        click.echo("::x::y ##[z]")
    assert capsys.readouterr().out == "::x::y ##[z]\n"


def run(*words: str) -> object:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    return end.value.code


def test_commands_and_their_errors(
    job: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.lkgate]\nrecordings = "recordings"\n')
    for name in NAMES:
        (tmp_path / "recordings" / name).mkdir(parents=True)
    assert run("list") == 2
    for word in NAMES:
        for words in (
            ("show", word), ("diff", word, word), ("check", word), ("merge", word), (word,),
            ("replay", "--against", word), ("replay", f"--{word}"), ("comment", word),
            ("--debug", "unpack", word, word), ("export", word, "--otlp", word), ("metrics", word),
        ):  # fmt: skip
            assert run(*words) in (2, 3, 4), words
    out, err = capsys.readouterr()
    assert not commands(out)
    assert not commands(err)
    assert not moving(out)
