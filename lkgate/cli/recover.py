"""``lkgate recover``: make a bundle from a recording that was cut off."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("recover")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), help="Where the bundle goes.")
def command(directory: Path, out: Path | None) -> None:
    """Close the recording in DIRECTORY, which was killed or lost its power.

    Everything up to the last write is kept; the bundle says what is missing.

    Example: lkgate recover recordings/room-7.unfinished
    """
    from lkgate.record import recover

    path = recover(directory, out=out)
    click.echo(f"recovered: {path}")
