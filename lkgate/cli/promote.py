"""``lkgate promote``: a call from production becomes a test case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli import complete
from lkgate.cli.parameters import BUNDLE, from_here

if TYPE_CHECKING:
    from lkgate.config import Config
    from lkgate.replay.recordings import Recording

# By what a recording's cassette is.
_CASSETTE = {
    "full": "every model and tool exchange was recorded",
    "partial": "some exchanges were not recorded: a replay that asks for one ends there",
    "derived": "its answers were made of what was heard of the call",
    "none": "replays derive their answers from what was heard of the call, and mark them; "
    "`lkgate derive` keeps those answers",
}


@click.command("promote")
@click.argument("bundle", type=BUNDLE)
@click.option("--name", metavar="NAME", help="Of the call (that of the bundle).")
@click.option(
    "--build",
    metavar="BUILD",
    help="Replay it into BUILD and offer that as baseline.",
    shell_complete=complete.builds,
)
@click.option("--reason", metavar="TEXT", help="Why the baseline is right; stands in it.")
@click.option("--yes", "-y", is_flag=True, help="Accept the baseline without asking.")
@click.option("--verbose", "-v", is_flag=True, help="Every difference and every number.")
def command(
    bundle: Path, name: str | None, build: str | None, reason: str | None, yes: bool, verbose: bool
) -> None:
    """Turn BUNDLE, a recorded or imported call, into a test case among the recordings.

    Copies it, drafts its labels for a person to correct, says what will answer its replays, and
    with --build replays it and offers the replay as its baseline. Doing it again goes on where it
    was stopped.

    Example: lkgate promote calls/room-7 --name refund --build v2
    """
    from lkgate.cli.settings import settings
    from lkgate.suite import promote

    config = settings()
    made = promote(bundle, config.recordings, name)
    recording = made.recording
    click.echo(f"{'copied to' if made.copied else 'is at'} {from_here(recording.path)}")
    labels = recording.bundle.labels
    if made.drafted and labels is not None:
        said, tools = len(labels.caller), len(labels.tools)
        click.echo(f"labels: a draft of {said} utterances and {tools} tool calls, not reviewed")
    elif labels is not None:
        click.echo(f"labels: its own, {'' if labels.reviewed else 'not '}reviewed")
    held = recording.bundle.manifest.cassette
    click.echo(f"cassette: {held}: {_CASSETTE[held]}")
    if build is not None:
        _baseline(config, recording, build, reason=reason, yes=yes, verbose=verbose)
    _say_next(recording, build)


def _baseline(
    config: Config, recording: Recording, name: str, *, reason: str | None, yes: bool, verbose: bool
) -> None:
    from lkgate.builds import resolve
    from lkgate.cli.baselines import accept_offers
    from lkgate.cli.progress import replay_progress
    from lkgate.errors import ReplayError
    from lkgate.replay.run import ReplayOptions, replay, replays_of
    from lkgate.suite import offers

    build, options = resolve(name, config), ReplayOptions.of(config)
    with replay_progress(build.name, 1) as on_progress:
        replays = replay([recording], build, options, on_progress)
    failure = replays.calls[0].outcome.failure
    if failure is not None:
        where = f"{recording.call}: {failure.where}" if failure.where else recording.call
        raise ReplayError(failure.message, where=where, next_step=failure.next_step)
    home = replays_of(options.state, build.name)
    found = offers([recording], home, name, replays.build)
    accept_offers(found, config.root, reason=reason, yes=yes, verbose=verbose)


def _say_next(recording: Recording, build: str | None) -> None:
    labels, call = recording.bundle.labels, recording.call
    steps, path = [], from_here(recording.path)
    if labels is None or not labels.reviewed:
        steps.append(f"correct {path}/labels.yaml, set `reviewed: true`")
        steps.append(f"lkgate seal {path}")
    if build is None:
        steps.append(f"lkgate replay {call} --against BUILD --no-gate")
        steps.append(f"lkgate accept {call} --build BUILD")
    steps.append(f"git add {path}")
    click.echo("\nNext:\n" + "\n".join(f"  {step}" for step in steps))
