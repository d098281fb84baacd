"""What `lkgate replay` tells a person beside its report, and of replays that differ."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lkgate.report.inert import visible_lines

if TYPE_CHECKING:
    from lkgate.model.verdict import Problem
    from lkgate.replay.recordings import Recording
    from lkgate.replay.run import ReplaySet, Verification

# Calls that a command names, at most.
_NAMES = 5


def say_derived(recordings: Sequence[Recording]) -> None:
    """Whose answers nobody recorded: such a replay tells less."""
    from lkgate.report.words import count

    bare = [one.call for one in recordings if one.bundle.manifest.cassette == "none"]
    if bare:
        click.echo(
            f"{count(len(bare), 'recording')} without a cassette: answers are derived from what "
            f"was heard of the call (`lkgate derive` keeps them): {', '.join(bare)}",
            err=True,
        )


def say_speed(replays: ReplaySet, wall_s: float, times: int) -> None:
    """How fast it was; it differs from run to run."""
    from lkgate.report.words import count

    virtual_s = times * sum(
        one.outcome.bundle.manifest.duration_us / 1e6
        for one in replays.calls
        if one.outcome.bundle is not None
    )
    if not virtual_s:
        return
    click.echo(
        f"replayed {count(len(replays.calls) * times, 'call')}, "
        f"{virtual_s / 60:.1f} minutes, in {wall_s:.1f} s: "
        f"{virtual_s / wall_s:.0f} times real time",
        err=True,
    )


def say_output(replays: ReplaySet) -> None:
    """What each call's program printed."""
    for one in replays.calls:
        if one.outcome.output:
            said = f"--- {one.recording.call} printed:\n{one.outcome.output}"
            click.echo(visible_lines(said), err=True)


def say_verification(found: Verification) -> None:
    """Whether replays of one call were the same."""
    if found.same:
        click.echo(f"{len(found.digests)} replays, one digest: {found.digests[0]}", err=True)
        return
    for number, digest in enumerate(found.digests, 1):
        click.echo(f"replay {number}: {digest or 'incomplete'}", err=True)
    if found.differing:
        click.echo(f"not deterministic: {', '.join(found.differing)}", err=True)


def doubts_of(found: Verification, against: str) -> list[Problem]:
    """Why calls whose replays differ are no evidence.

    Args:
        against: the build, as given.
    """
    from lkgate.model.verdict import Problem

    # One command for all of them, so that reports tell it once; of many, for the whole set.
    names = list(found.differing) if len(found.differing) <= _NAMES else []
    words = shlex.join([*names, "--against", against])
    times = len(found.digests)
    step = (
        'Find the cause (docs/determinism.md, "When replays differ"), then run '
        f"`lkgate replay {words} --no-gate --verify {times}`."
    )
    problems = []
    for call, failure in found.differing.items():
        reason = f"not deterministic: {times} replays differ"
        if failure is not None:
            where = f"{failure.where}: " if failure.where else ""
            reason += f", of which one failed: {where}{failure.message}"
        problems.append(Problem(call, reason, step))
    return problems
