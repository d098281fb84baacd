"""``lkgate pack``: one file to send a bundle in."""

from __future__ import annotations

from pathlib import Path

import click

from lkgate.cli.parameters import BUNDLE


@click.command("pack")
@click.argument("bundle", type=BUNDLE)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), required=False)
def command(bundle: Path, out: Path | None) -> None:
    """Pack the directory BUNDLE into OUT (BUNDLE.lkb, here): the same bytes every time.

    BUNDLE is a recording's name, or the path of any bundle.

    Example: lkgate pack recordings/book
    """
    from lkgate.bundle import pack

    if not bundle.is_dir():
        raise click.UsageError(f"{bundle} is packed already")
    # Not beside it: among the recordings that would be a second one of its name.
    path = out or Path(f"{bundle.resolve().name}.lkb")
    path.parent.mkdir(parents=True, exist_ok=True)
    pack(bundle, path)
    click.echo(f"packed: {path}")
