"""The end of `lkgate replay` and of `lkgate merge`: replays judged and reported, the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli.exits import Exit
from lkgate.cli.verbose import timed

if TYPE_CHECKING:
    from lkgate.cli.reports import Wanted
    from lkgate.judge.panel import Panel
    from lkgate.model.gate import Gate
    from lkgate.model.price import PriceTable
    from lkgate.model.verdict import Problem, Verdict
    from lkgate.replay.run import ReplaySet
    from lkgate.report.html import Sources


def conclude(
    replays: ReplaySet,
    gates: Sequence[Gate],
    *,
    every: Sequence[str] | None,
    prices: PriceTable | None,
    panel: Panel,
    state: Path,
    form: str,
    reports: Sequence[Wanted],
    verbose: bool,
    unusable: Sequence[Problem] = (),
) -> tuple[list[Verdict], dict[str, Exception]]:
    """Judge by every gate and report; without a gate, only print what could not be replayed.

    Args:
        every, prices, panel, unusable: see :func:`lkgate.cli.judging.judge`.
        state: the project's ``.lkgate`` directory.
        form: of the report on stdout, ``text`` or ``json``.

    Returns:
        The verdicts, and what prevented reports: see :func:`lkgate.cli.reports.write`.
    """
    from lkgate.cli.judging import judge
    from lkgate.cli.reports import write
    from lkgate.report.inert import visible_lines
    from lkgate.report.words import count

    verdicts: list[Verdict] = []
    for gate in gates:
        with timed(f"judged by {gate.path}"):
            verdicts.append(
                judge(
                    gate,
                    replays.calls,
                    every=every,
                    prices=prices,
                    panel=panel,
                    unusable=unusable,
                )
            )
    digest = replays.digest or "incomplete"
    build = replays.build.name
    if not gates:
        print_failures(replays)
        for one in unusable:
            click.echo(visible_lines(f"{one.call}: {one.reason}\n  {one.next_step}"))
    for verdict in verdicts:
        _print(verdict, build, digest, form, verbose)
    with timed(f"wrote {count(len(reports), 'report')}"):
        unwritten = write(
            reports,
            verdicts,
            build=build,
            digest=digest,
            state=state,
            sources=partial(_sources, replays, state, unusable),
        )
    return verdicts, unwritten


def failures(replays: ReplaySet) -> list[Problem]:
    """What ended each call that has no replay; each reason begins with the call."""
    from lkgate.model.verdict import Problem

    found = []
    for one in replays.calls:
        failure = one.outcome.failure
        if failure is not None:
            where = f"{failure.where}: " if failure.where else ""
            reason = f"{one.recording.call}: {where}{failure.message}"
            found.append(Problem(one.recording.call, reason, failure.next_step))
    return found


def print_failures(replays: ReplaySet) -> None:
    """:func:`failures`, on stdout."""
    from lkgate.report.inert import visible_lines

    for one in failures(replays):
        click.echo(visible_lines(one.reason))
        if one.next_step:
            click.echo(visible_lines(f"  {one.next_step}"))


def exit_of_replays(replays: ReplaySet, verdicts: Sequence[Verdict], *, same: bool = True) -> Exit:
    """A replay that did not complete says so before anything that was judged without it.

    Args:
        same: whether repeated replays were equal, if they were repeated. The verdicts know; this is
            for a run without a gate.
    """
    if any(one.outcome.bundle is None for one in replays.calls):
        return Exit.INCOMPLETE
    statuses = {verdict.status for verdict in verdicts}
    if "fail" in statuses:
        return Exit.GATE_FAILED
    return Exit.PASS if same and "no_verdict" not in statuses else Exit.NO_VERDICT


def _sources(replays: ReplaySet, state: Path, unusable: Sequence[Problem]) -> dict[str, Sources]:
    from lkgate.cli.listening import sources_of

    silent = {one.call for one in unusable}
    return sources_of([one for one in replays.calls if one.recording.call not in silent], state)


def _print(verdict: Verdict, build: str, digest: str, form: str, verbose: bool) -> None:
    if form == "json":
        from lkgate.report.json import render as render_json

        click.echo(render_json(verdict, build=build, digest=digest), nl=False)
        return
    from lkgate.cli.terminal import print_report
    from lkgate.report.text import render

    print_report(render(verdict, build=build, digest=digest, verbose=verbose))
