"""``lkgate seal``: after an edit of labels, or of a cassette, by hand."""

from __future__ import annotations

from pathlib import Path

import click

from lkgate.cli.parameters import BUNDLE


@click.command("seal")
@click.argument("directory", metavar="BUNDLE", type=BUNDLE)
def command(directory: Path) -> None:
    """Take what is in BUNDLE now as its content.

    BUNDLE is a recording's name, or its path.

    For labels.yaml, which a person writes. Audio and events keep the digest that they were
    recorded with: changing them stays an error.

    Example: lkgate seal recordings/refund
    """
    from lkgate.bundle import reseal

    bundle = reseal(directory)
    click.echo(f"sealed: {directory}, digest {bundle.manifest.digest[:16]}")
