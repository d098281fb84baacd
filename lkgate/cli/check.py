"""``lkgate check``: is every byte of a bundle what it was when it was closed?"""

from __future__ import annotations

from pathlib import Path

import click

from lkgate.cli.parameters import BUNDLE


@click.command("check")
@click.argument("bundles", nargs=-1, required=True, metavar="BUNDLE...", type=BUNDLE)
def command(bundles: tuple[Path, ...]) -> None:
    """Verify every digest of each BUNDLE, audio decoded and compared as well.

    BUNDLE is a recording's name, or the path of any bundle. Prints one line a bundle; the first
    that is not whole ends it with exit code 2.

    Example: lkgate check recordings/book calls/room-7.lkb
    """
    from lkgate.bundle import verify

    for path in bundles:
        bundle = verify(path)
        manifest = bundle.manifest
        click.echo(
            f"{path}: whole: {len(bundle.events)} events, {len(manifest.tracks)} tracks, "
            f"{manifest.duration_us / 1e6:.1f} s, digest {manifest.digest[:16]}"
        )
