"""What `lkgate --verbose` tells, and that nothing else does."""

from __future__ import annotations

import re

import click
import pytest

from lkgate.cli.progress import replay_progress
from lkgate.cli.verbose import timed
from lkgate.replay.outcome import Failure, Outcome
from lkgate.replay.pool import Progress
from tests.measure.builders import bundle


def work() -> None:
    with replay_progress("v2", 2) as show:
        show(Progress("loading"))
        show(Progress("ready"))
        show(Progress("started", "book"))
        stats = {"cpu_s": 0.5, "peak_mb": 300.1}
        show(Progress("ended", "book", Outcome("book", bundle(), None, 0.61, stats)))
        failed = Outcome("move", None, Failure("crash", "it crashed"), 2.0)
        show(Progress("ended", "move", failed))
    with timed("judged"):
        pass


def test_phases_and_calls_are_told_with_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    whole = click.Context(click.Command("lkgate"), obj={"verbose": True})
    with whole, click.Context(click.Command("replay"), parent=whole):
        work()
    out, err = capsys.readouterr()
    assert out == ""
    assert re.sub(r": \d+\.\d s$", ": T s", err, flags=re.MULTILINE).splitlines() == [
        "loaded v2: T s",
        "[1/2] book: 60.0 s replayed in 0.6 s (0.5 s of processor, 300.1 MB)",
        "[2/2] move: crash, after 2.0 s",
        "judged: T s",
    ]


def test_nothing_is_told_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    with click.Context(click.Command("lkgate"), obj={"debug": True}):
        work()
    assert capsys.readouterr() == ("", "")
