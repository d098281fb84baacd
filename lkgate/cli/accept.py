"""``lkgate accept``: the last replay of a build becomes the baseline."""

from __future__ import annotations

import click

from lkgate.cli import complete


@click.command("accept")
@click.argument("calls", nargs=-1, shell_complete=complete.recordings)
@click.option(
    "--build",
    required=True,
    metavar="BUILD",
    help="Whose last replay to accept.",
    shell_complete=complete.builds,
)
@click.option("--reason", metavar="TEXT", help="Why; stands in the baseline (asked if you are).")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--verbose", "-v", is_flag=True, help="Every difference and every number.")
def command(
    calls: tuple[str, ...], build: str, reason: str | None, yes: bool, verbose: bool
) -> None:
    """Make the last replay of BUILD the baseline of CALLS (all recordings).

    Shows first what would change: words, tools, turn-taking and latencies against the baseline of
    now. Baselines stand beside their recordings in `baseline/`, without audio, bound to the
    recording, its cassette, the metrics' versions and the build, with who accepted them, when and
    why: commit them.

    Example: lkgate accept book --build v2 --reason "asks for the birthday first"
    """
    from lkgate.cli.baselines import accept_offers, current_build
    from lkgate.cli.judging import chosen_recordings
    from lkgate.cli.settings import settings
    from lkgate.replay.run import ReplayOptions, replays_of
    from lkgate.suite import offers

    config = settings()
    name, identity = current_build(config, build)
    home = replays_of(ReplayOptions.of(config).state, name)
    recordings = chosen_recordings(config, calls, baselines=False)
    found = offers(recordings, home, build, identity)
    accept_offers(found, config.root, reason=reason, yes=yes, verbose=verbose)
