"""``lkgate open``: a report with all of its audio, in the browser."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click

from lkgate.cli.exits import Exit


@click.command("open")
@click.argument(
    "path", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of 127.0.0.1 (a free one).")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(path: Path | None, port: int, no_browser: bool) -> int:
    """Serve the last HTML report, or the one at PATH, and its audio, until Ctrl-C.

    A report of many calls keeps its audio in files beside it, which a browser may not play from
    disk, nor from another machine: there, forward the port. Only this machine is answered, below
    an address that is new each time. Prints that address, and opens a browser if there is one.

    Example: lkgate open
    """
    from lkgate.cli.replay_room import run
    from lkgate.cli.reports import last_report
    from lkgate.loopback import serve

    report = path or last_report()

    def ready(address: str) -> None:
        click.echo(address)
        sys.stdout.flush()
        click.echo(f"{report}: Ctrl-C ends this", err=True)
        if not no_browser and _has_browser():
            click.launch(address)

    try:
        run(serve(report, port=port, token=secrets.token_urlsafe(16), on_ready=ready))
    except KeyboardInterrupt:
        click.echo("", err=True)
    return Exit.PASS


def _has_browser() -> bool:
    """Not where a terminal is all that there is: a browser in it would take it over."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
