"""``lkgate pack``: one file to send a bundle in."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("pack")
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), required=False)
def command(bundle: Path, out: Path | None) -> None:
    """Pack the directory BUNDLE into OUT (BUNDLE.lkb): the same bytes every time.

    Example: lkgate pack recordings/book
    """
    from lkgate.bundle import pack

    path = out or bundle.with_name(bundle.resolve().name + ".lkb")
    path.parent.mkdir(parents=True, exist_ok=True)
    pack(bundle, path)
    click.echo(f"packed: {path}")
