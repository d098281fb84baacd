"""``lkgate replay --shard``: a part of the calls, whose verdict `lkgate merge` gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli.exits import Exit

if TYPE_CHECKING:
    from lkgate.cli.reports import Wanted
    from lkgate.model.build import Build
    from lkgate.replay.recordings import Recording
    from lkgate.replay.run import ReplayOptions, ReplaySet
    from lkgate.replay.shard import Share

_JUDGES = "`lkgate merge` judges and reports, when all shards are there"
_INSTEAD = {
    "--gate": _JUDGES,
    "--format json": _JUDGES,
    "--verify": "verify on one machine",
    "--transport room": "room calls share a server, and take turns on one machine",
    "--models record": "a cassette grows where its recording is",
}
_SHARE = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ShardFlags:
    """What the command line says of shards.

    Attributes:
        share: of which of how many.
        into: where its result goes; ``None``: below ``.lkgate/shards``.
    """

    share: Share
    into: Path | None

    @classmethod
    def of(cls, shard: str | None, into: Path | None) -> ShardFlags | None:
        """``None``: this is no shard.

        Raises:
            UsageError: no share of anything.
        """
        from lkgate.replay.shard import Share

        if shard is None:
            if into is not None:
                raise click.UsageError("--shard-into is for --shard")
            return None
        parts = _SHARE.fullmatch(shard)
        if parts is None or not 1 <= int(parts[1]) <= int(parts[2]):
            raise click.BadParameter(
                f"'{shard}' is no share: 2/3 is the second of three", param_hint="'--shard'"
            )
        return cls(Share(int(parts[1]), int(parts[2])), into)

    def refuse(self, given: Mapping[str, object]) -> None:
        """What one shard cannot do.

        Args:
            given: options, as written on the command line, and whether each was given.

        Raises:
            UsageError: one was.
        """
        for name, value in given.items():
            if value:
                raise click.UsageError(f"{name} is not for --shard: {_INSTEAD[name]}")


def keep_shard(
    flags: ShardFlags,
    against: str,
    build: Build,
    options: ReplayOptions,
    recordings: Sequence[Recording],
    replays: ReplaySet,
    *,
    named: bool,
    reports: Sequence[Wanted],
) -> int:
    """Write the shard; an exit code that is no pass, for nothing was judged.

    Args:
        recordings: of all shards.
        reports: say why the shard is not whole; of one that is there are none.
    """
    from lkgate.cli.unjudged import clear, write
    from lkgate.cli.verdicts import failures, print_failures
    from lkgate.replay.names import file_name
    from lkgate.replay.shard import run_of, write_shard
    from lkgate.report.words import count

    share = flags.share
    name = f"{share.number}-of-{share.of}"
    out = flags.into or options.state / "shards" / file_name(build.name) / name
    run = run_of(against, build, replays.build, options, recordings, named=named)
    write_shard(out, share, run, replays.calls)
    print_failures(replays)
    failed = failures(replays)
    what = (
        f"shard {share.number} of {share.of}, "
        f"{len(replays.calls)} of {count(len(recordings), 'call')}"
        + (f", {len(failed)} could not be replayed" if failed else "")
    )
    if failed:
        write(reports, build.name, what, failed)
    else:
        clear(reports)
    click.echo(f"NOT JUDGED  {build.name}: {what}")
    click.echo(f"kept in {out}: `lkgate merge` of all {share.of} gives the verdict", err=True)
    return Exit.INCOMPLETE if failed else Exit.NO_VERDICT
