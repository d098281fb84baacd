"""``lkgate doctor``: whether lkgate can work here, and how to mend what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli.exits import Exit

if TYPE_CHECKING:
    from lkgate.diagnosis import Finding

_MARKS = {"ok": "+", "note": "-", "wrong": "x"}
_STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red"}


@click.command("doctor")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
)
def command(env_file: Path | None) -> int:
    """Look at everything that lkgate needs, and say how to mend what does not work.

    The interpreter, audio, disk, clock, the block of the network, settings and gates, each
    build's LiveKit versions, and, where LIVEKIT_URL is set, the server and whether it takes the
    key. Keys are never printed. Exit code 4 if something does not work.

    Example: lkgate doctor --env-file .env
    """
    from rich.text import Text

    from lkgate.cli.terminal import print_report
    from lkgate.report.inert import visible

    wrong = 0
    for one in _findings(env_file):
        wrong += one.status == "wrong"
        line = Text(f"{_MARKS[one.status]} {one.what}", style=_STYLES[one.status])
        print_report(line.append(visible(f": {one.said}"), style="not bold default").append("\n"))
        if one.remedy is not None:
            print_report(Text(visible(f"    {one.remedy}"), style="cyan").append("\n"))
    return Exit.INCOMPLETE if wrong else Exit.PASS


def _findings(env_file: Path | None) -> Iterator[Finding]:
    import os
    import sys
    from datetime import UTC, datetime

    from lkgate.diagnosis import (
        audio,
        clock,
        interpreter,
        network_block,
        server_findings,
    )
    from lkgate.diagnosis.server import server_time

    yield interpreter(sys.version_info[:3], sys.executable)
    yield audio()
    yield network_block()
    yield from _project()
    yield from server_findings(os.environ, env_file)
    server = server_time(os.environ, env_file)
    yield clock(datetime.now(UTC), server)


def _project() -> Iterator[Finding]:
    """Settings, gates, recordings and builds: what is wrong with one says nothing of the others."""
    from lkgate.cli.judging import load_gates
    from lkgate.cli.settings import settings
    from lkgate.diagnosis import Finding, build_findings, disk, recordings
    from lkgate.diagnosis.finding import of_error
    from lkgate.errors import LkgateError
    from lkgate.replay.run import ReplayOptions
    from lkgate.report.words import count

    try:
        config = settings()
    except LkgateError as error:
        yield of_error("settings", error, "Correct that file.")
        yield disk(Path.cwd())
        return
    if config.path is None:
        remedy = "Run `lkgate init` where the agent's sources are."
        yield Finding("settings", "note", "no [tool.lkgate] here or above", remedy)
    else:
        yield Finding("settings", "ok", str(config.path))
    if config.gates:
        try:
            rules = sum(len(gate.rules) for gate in load_gates(config, ()))
            said = f"{count(len(config.gates), 'file')}, {count(rules, 'rule')}"
            yield Finding("gates", "ok", said)
        except LkgateError as error:
            remedy = "Correct it there; `lkgate metrics` lists what can be judged."
            yield of_error("gates", error, remedy)
    yield recordings(config.recordings)
    yield from build_findings(config)
    yield disk(ReplayOptions.of(config).state)
