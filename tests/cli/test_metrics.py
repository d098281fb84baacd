"""``lkgate metrics`` and ``lkgate label``, in process: the commands that need no replay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from lkgate.bundle import read
from lkgate.cli.main import cli
from lkgate.errors import BundleError, ConfigError
from lkgate.gate.metrics import SPECS

RECORDING = Path(__file__).parents[2] / "recordings" / "book"


def lkgate(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_list() -> None:
    done = lkgate("metrics")
    assert done.exit_code == 0
    assert done.stdout.startswith("The whole call\n  response_latency ")
    assert len(json.loads(lkgate("metrics", "--format", "json").stdout)) == len(SPECS)


def test_one() -> None:
    done = lkgate("metrics", "word_error_rate")
    assert done.stdout.startswith("word_error_rate\n  Substituted, lost and invented words")
    assert "How it misleads: " in done.stdout
    (one,) = json.loads(lkgate("metrics", "--format", "json", "jitter").stdout)
    assert one["unit"] == "us"


def test_unknown() -> None:
    done = lkgate("metrics", "packets_loss")
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception) == (
        "there is no metric 'packets_loss'\n  Did you mean 'packet_loss'?"
    )
    assert lkgate("metrics", "--format", "markdown", "jitter").exit_code == 2


def test_completion() -> None:
    complete = ShellComplete(cli, {}, "lkgate", "_COMPLETE")
    found = complete.get_completions(["metrics"], "tool_l")
    assert [(item.value, item.help) for item in found] == [
        ("tool_latency", SPECS["tool_latency"].doc)
    ]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    made = tmp_path / "book"
    shutil.copytree(RECORDING, made, ignore=shutil.ignore_patterns("baseline"))
    return made


def test_label(recording: Path) -> None:
    taken = lkgate("label", str(recording))
    assert isinstance(taken.exception, BundleError)
    printed = lkgate("label", "--print", str(recording))
    assert "reviewed: false\n" in printed.stdout
    done = lkgate("label", "--force", str(recording))
    assert done.stdout == (
        f"{recording}/labels.yaml: a draft of 6 utterances and 1 tool calls, not reviewed\n"
        f"Next: listen, correct it, set `reviewed: true`, then lkgate seal {recording}\n"
    )
    assert (recording / "labels.yaml").read_text() == printed.stdout
    labels = read(recording).labels
    assert labels is not None
    assert not labels.reviewed
