"""``lkgate replay --transport room``: the same recordings, gates and reports, over real rooms."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lkgate.cli.exits import Exit
from lkgate.report.inert import visible_lines

if TYPE_CHECKING:
    from lkgate.cli.reports import Wanted
    from lkgate.config import Config
    from lkgate.model.build import Build
    from lkgate.model.gate import Gate
    from lkgate.model.plan import Pacing
    from lkgate.model.verdict import LiveRoom, Verdict
    from lkgate.replay.recordings import Recording
    from lkgate.rooms import RoomProgress

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RoomFlags:
    """What the command line says of rooms; ``None`` was not given."""

    repeats: int | None
    concurrency: int | None
    interleave: str | None
    wait_s: float | None
    env_file: Path | None

    def refuse(self) -> None:
        """For a replay in virtual time.

        Raises:
            UsageError: one was given.
        """
        given = {
            "--repeats": self.repeats,
            "--concurrency": self.concurrency,
            "--interleave": self.interleave,
            "--wait": self.wait_s,
            "--env-file": self.env_file,
        }
        for name, value in given.items():
            if value is not None:
                raise click.UsageError(f"{name} is for --transport room")


def replay_room(
    config: Config,
    build: Build,
    recordings: Sequence[Recording],
    gates: Sequence[Gate],
    flags: RoomFlags,
    *,
    pacing: Pacing | None,
    every: Sequence[str] | None,
    form: str,
    reports: Sequence[Wanted],
    verbose: bool,
) -> int:
    """Place the calls, judge them, report; the exit code."""
    from lkgate.builds import resolve
    from lkgate.cli.judging import judge_rooms
    from lkgate.cli.listening import sources_of_rooms
    from lkgate.cli.reports import reported, write
    from lkgate.cli.supply import price_table
    from lkgate.judge.panel import Panel
    from lkgate.model.verdict import LiveRoom
    from lkgate.replay.run import ReplayOptions
    from lkgate.rooms import RoomOptions, replay_in_rooms

    options = RoomOptions.of(config, os.environ)
    options = replace(
        options,
        env_file=flags.env_file,
        repeats=flags.repeats or options.repeats,
        concurrency=flags.concurrency or options.concurrency,
        wait_us=options.wait_us if flags.wait_s is None else round(flags.wait_s * 1e6),
        pacing=pacing or options.pacing,
    )
    interleave = resolve(flags.interleave, config) if flags.interleave else None
    played = run(
        replay_in_rooms(recordings, build, options, interleave=interleave, on_progress=_say)
    )
    live = LiveRoom(played.repeats, interleave.name if interleave else None, played.at_once)
    prices = price_table(config)
    panel = Panel(config)
    verdicts = [
        judge_rooms(gate, played, every=every, prices=prices, panel=panel) for gate in gates
    ]
    for one in played.calls:
        for take in filter(None, (one.candidate, one.baseline)):
            if take.late is not None:
                click.echo(visible_lines(f"{take.path}: {take.late}"), err=True)
    # <build>/<call>/<repeat>
    click.echo(f"calls kept in {played.calls[0].candidate.path.parents[1]}", err=True)
    for verdict in verdicts:
        _print(verdict, build.name, live, form, verbose)
    state = ReplayOptions.of(config).state
    unwritten = write(
        reports,
        verdicts,
        build=build.name,
        digest=None,
        live=live,
        state=state,
        sources=partial(sources_of_rooms, played, state),
    )
    statuses = {verdict.status for verdict in verdicts}
    code = Exit.NO_VERDICT if "no_verdict" in statuses else Exit.PASS
    return reported(Exit.GATE_FAILED if "fail" in statuses else code, unwritten)


def run(work: Coroutine[object, object, T]) -> T:
    """Its result. The first SIGTERM ends it as Ctrl-C does: it clears away what it made.

    Raises:
        KeyboardInterrupt: it was ended so.
    """
    import asyncio

    async def interruptible() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def end() -> None:
            loop.remove_signal_handler(signal.SIGTERM)
            task.cancel()

        loop.add_signal_handler(signal.SIGTERM, end)
        try:
            return await work
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _say(progress: RoomProgress) -> None:
    """On stderr, a line a take: they are minutes apart."""
    click.echo(visible_lines(f"[{progress.ended}/{progress.all}] {progress.text}"), err=True)
    sys.stderr.flush()


def _print(verdict: Verdict, build: str, live: LiveRoom, form: str, verbose: bool) -> None:
    if form == "json":
        from lkgate.report.json import render as render_json

        click.echo(render_json(verdict, build=build, digest=None, live=live), nl=False)
        return
    from lkgate.cli.terminal import print_report
    from lkgate.report.text import render

    print_report(render(verdict, build=build, digest=None, verbose=verbose, live=live))
