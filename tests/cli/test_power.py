"""``lkgate power``, in process: what it tells, and what it refuses as a replay would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lkgate.cli.main import cli
from lkgate.errors import GateFileError

RECORDINGS = Path(__file__).parents[2] / "recordings"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two of the demo's calls, and no gate."""
    for call in ("book", "look-up"):
        shutil.copytree(RECORDINGS / call, tmp_path / "recordings" / call)
    (tmp_path / "pyproject.toml").write_text("[tool.lkgate]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def power(project: Path, rule: str) -> Result:
    text = f"version: 1\nrules:\n  - {{id: a, {rule}}}\n"
    (project / "gate.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli, ["power", "gate.yaml"])


def test_what_two_calls_can_show(project: Path) -> None:
    done = power(project, "metric: response_latency, aggregate: mean, max_increase: 5 s")
    assert done.exit_code == 0
    assert done.stdout.startswith("What 2 recordings can show by gate.yaml\n")
    assert "with 2 calls a rise of mean of response_latency by " in done.stdout


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            "metric: response_latency, aggregate: p99, max: 2 s",
            "a p99 needs 100 samples out of 20 calls, and the 2 recordings give ",
        ),
        (
            "metric: response_latency, aggregate: mean, max: 2 s, where: {accent: welsh}",
            "no recording has accent `welsh`",
        ),
        (
            "metric: response_latency, aggregate: mean, max: 2 s, "
            "where: {scenario: book, voice: rms}",
            "no recording has scenario `book` and voice `rms`",
        ),
        (
            "metric: response_latency, aggregate: mean, max: 2 s, by: mood",
            "no recording's labels say its `mood`",
        ),
    ],
)
def test_what_a_replay_would_refuse(project: Path, rule: str, told: str) -> None:
    error = power(project, rule).exception
    assert isinstance(error, GateFileError)
    assert told in str(error)


def test_why_nothing_can_be_told(project: Path) -> None:
    done = power(project, "metric: packet_loss, aggregate: rate, max_increase: 1 points")
    assert done.stdout.endswith(
        "a: no recording can tell: nobody asked LiveKit for the statistics of the connection\n"
    )


def test_costs_are_told_by_the_teams_prices(project: Path) -> None:
    rule = "metric: call_cost, aggregate: mean, max_increase: 5%"
    assert "no recording can tell: no table of prices was given" in power(project, rule).stdout
    (project / "pyproject.toml").write_text(
        "[tool.lkgate]\nprices = 'prices.yaml'\n", encoding="utf-8"
    )
    (project / "prices.yaml").write_text(
        "version: 1\ndate: 2026-11-20\ncurrency: EUR\nmodels:\n"
        "  intent-tfidf-1: {input_tokens: 1, output_tokens: 1}\n"
        "  hibari-heart: {characters: 1}\n"
        "  moonshine-tiny-en: {audio_minutes: 1}\n",
        encoding="utf-8",
    )
    assert "with 2 calls a rise of mean of call_cost by " in power(project, rule).stdout
