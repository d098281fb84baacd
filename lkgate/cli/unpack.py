"""``lkgate unpack``: a directory from an ``.lkb`` file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("unpack")
@click.argument("archive", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path), required=False)
def command(archive: Path, out: Path | None) -> None:
    """Verify ARCHIVE and unpack it into the directory OUT (ARCHIVE without its suffix).

    Example: lkgate unpack book.lkb
    """
    from lkgate.bundle import unpack

    path = out or archive.with_suffix("")
    unpack(archive, path)
    click.echo(f"unpacked: {path}")
