"""``lkgate derive``: a cassette for a recording that was made from outside."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from lkgate.cli.parameters import BUNDLE


@click.command("derive")
@click.argument(
    "recordings",
    nargs=-1,
    required=True,
    metavar="RECORDING...",
    type=BUNDLE,
)
def command(recordings: tuple[Path, ...]) -> None:
    """Add to each RECORDING a cassette made of what was heard and seen of the call.

    For recordings that no worker of `lkgate record --build` was taped for: imported ones, and
    those of a deployed agent. What the recogniser transcribed, what the agent said and in which
    voice, and what its tools returned become answers that are marked as derived. A replay does
    this by itself, every time; kept, the answers can be committed, and baselines be bound to them.

    Example: lkgate derive refund
    """
    from lkgate.derive import keep_derived

    for path in recordings:
        made = keep_derived(path)
        held = ", ".join(f"{count} {modality}" for modality, count in sorted(made.counts.items()))
        click.echo(f"{path}: derived answers: {held}")
        for lack in made.lacks:
            click.echo(f"  {lack}")
    words = shlex.join(map(str, recordings))
    click.echo(
        f"Next: lkgate replay {words} --against BUILD, then lkgate accept {words} --build BUILD"
    )
