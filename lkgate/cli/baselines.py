"""Baselines shown, asked about and accepted: what ``accept`` and ``promote`` have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from lkgate.builds import identify, resolve
from lkgate.cli.terminal import print_report
from lkgate.config import Config
from lkgate.errors import ConfigError
from lkgate.model.bundle import BuildIdentity
from lkgate.replay.run import ReplayOptions, replays_of
from lkgate.report.accepting import offered
from lkgate.report.words import count
from lkgate.suite import Offer, accept, sign


def current_build(config: Config, name: str) -> tuple[str, BuildIdentity | None]:
    """The name under which a build's replays lie, and what it is now.

    Of a name that replays lie under and that means no build any more, nothing more is known.

    Raises:
        ConfigError: there is no such build, and no replay into one of that name.
        BuildError: its program or its interpreter is not there.
    """
    try:
        build = resolve(name, config)
    except ConfigError:
        if replays_of(ReplayOptions.of(config).state, name).is_dir():
            return name, None
        raise
    return build.name, identify(build) if build.virtual else None


def accept_offers(
    offers: Sequence[Offer], root: Path, *, reason: str | None, yes: bool, verbose: bool
) -> None:
    """Show what would change, ask, and write.

    Raises:
        click.Abort: the answer was no.
        click.UsageError: nobody is there to ask.
    """
    print_report(offered(offers, verbose=verbose))
    changes = [one for one in offers if not one.unchanged]
    if not changes:
        click.echo("nothing to accept: every baseline is this very replay")
        return
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("nobody is there to ask: pass --yes")
    if not yes:
        asked = f"Accept {count(len(changes), 'replay')} as {count(len(changes), 'baseline')}?"
        click.confirm(asked, abort=True, err=True)
        if reason is None:
            reason = click.prompt("Why", default="", show_default=False, err=True)
    signature = sign(root, os.environ, today=date.today(), reason=reason)
    for one in changes:
        accept(one, signature)
    click.echo(f"signed: {signature.by or 'nobody'}, {signature.on}", err=True)
    click.echo(f"accepted: {count(len(changes), 'baseline')}")
