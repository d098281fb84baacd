"""``lkgate merge``: the results of `lkgate replay --shard`, as one verdict."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli import complete
from lkgate.cli.exits import Exit
from lkgate.cli.parameters import GATE_FILE
from lkgate.cli.unjudged import UNKNOWN, reporting

if TYPE_CHECKING:
    from lkgate.model.build import Build
    from lkgate.replay.shard import Run
    from lkgate.replay.whole import Flaw


@click.command("merge")
@click.argument("shards", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar="BUILD",
    help="What the shards were replayed into; they say so themselves, if there are any.",
    shell_complete=complete.builds,
)
@click.option("--gate", "gates", multiple=True, type=GATE_FILE, help="A gate file.")
@click.option("--shard", hidden=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="KIND=PATH",
    shell_complete=complete.reports,
    help="Also write a report to a file, as `lkgate replay` does.",
)
@click.option("--verbose", "-v", is_flag=True, help="Every place and every difference.")
@reporting
def command(
    shards: tuple[Path, ...],
    against: str | None,
    gates: tuple[Path, ...],
    shard: str | None,
    form: str,
    reports: tuple[str, ...],
    verbose: bool,
) -> int:
    """Judge the replays in SHARDS as one run: verdict and reports are those of an unsharded one.

    SHARDS are what `lkgate replay --shard` wrote, or directories with such directories in them.
    Run it where the recordings and the gate are, as they were for the shards; the build itself is
    not needed. The replays are then the build's last, for `lkgate accept`.

    A missing shard, or shards of different builds, recordings or settings: no verdict (3). The
    reports say so too; with --against, also those of a run without any shard know their build.

    \b
    Example:
      lkgate merge shards/* --against v2 --report junit=junit.xml
    """
    from lkgate import __version__
    from lkgate.cli.judging import chosen_recordings, load_gates, refuse_unsupported
    from lkgate.cli.reports import about, parse, reported
    from lkgate.cli.settings import settings
    from lkgate.cli.supply import price_table
    from lkgate.cli.verdicts import conclude, exit_of_replays
    from lkgate.judge.panel import Panel
    from lkgate.replay.recordings import names_of_recordings
    from lkgate.replay.run import ReplayOptions
    from lkgate.replay.shard import find_shards, gather, identity_of, read_shard
    from lkgate.replay.whole import Flaw, flaws

    if shard is not None:
        raise click.UsageError("one part is replayed (--shard), or all are merged: not both")
    against = against or None  # an input of a workflow may be empty
    config = settings()
    found = [read_shard(place) for place in find_shards(shards)]
    if not found:
        where = ", ".join(str(place) for place in shards)
        nothing = Flaw(
            f"no shard in {where}",
            f"Run `lkgate replay --against {against or 'BUILD'} --shard 1/1`, and merge it.",
        )
        return _no_verdict(against, gates, [nothing], reports)
    run = found[0].run
    if against is not None and against != run.against:
        other = Flaw(
            f"the shards are of {run.against}",
            f"Merge those of {against}, or say --against {run.against}.",
        )
        return _no_verdict(against, gates, [other], reports)
    names = list(run.recordings)
    here = [name for name in names_of_recordings(config.recordings) if name in run.recordings]
    recordings = chosen_recordings(config, here if run.named else ())
    identities = {one.call: identity_of(one) for one in recordings}
    wrong = flaws(found, identities, __version__)
    if wrong:
        return _no_verdict(run.against, gates, wrong, reports)
    recordings.sort(key=lambda one: names.index(one.call))
    loaded = load_gates(config, gates, _build(run))
    if form == "json" and len(loaded) != 1:
        raise click.UsageError("--format json reports on exactly one gate: name it with --gate")
    wanted = parse(reports, gates=len(loaded), about=about(run.against, gates))
    prices = price_table(config)
    if not run.named:
        refuse_unsupported(loaded, recordings, prices)
    state = ReplayOptions.of(config).state
    replays = gather(found, recordings, state)
    if run.named:
        click.echo("only the calls that were named are judged", err=True)
    verdicts, unwritten = conclude(
        replays,
        loaded,
        every=names_of_recordings(config.recordings) if run.named else None,
        prices=prices,
        panel=Panel(config),
        state=state,
        form=form,
        reports=wanted,
        verbose=verbose,
    )
    return reported(exit_of_replays(replays, verdicts), unwritten)


def _build(run: Run) -> Build:
    """What a gate asks of a build: its layers. It need not be on this machine."""
    from lkgate.model.build import Build

    return Build(
        run.build.name, Path(sys.executable), None, None, (), Path(), {}, pipeline=run.pipeline
    )


def _no_verdict(
    against: str | None, gates: Sequence[Path], flaws: Sequence[Flaw], reports: Sequence[str]
) -> int:
    from lkgate.cli.reports import about, named
    from lkgate.cli.unjudged import text_of, write
    from lkgate.model.verdict import Problem

    build = against or UNKNOWN
    what = "the shards are not one whole run"
    problems = [Problem(None, flaw.what, flaw.next_step) for flaw in flaws]
    write(named(reports, about(build, gates)), build, what, problems)
    click.echo(text_of(problems, build=build, what=what), nl=False)
    return Exit.NO_VERDICT
