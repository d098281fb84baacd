"""``lkgate record``: a live room as a bundle."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from lkgate.record import Progress


@click.command("record")
@click.option("--room", required=True, help="The room's name.")
@click.option(
    "--build", metavar="BUILD", help="Start this build's worker, dispatch it, tape models."
)
@click.option("--out", type=click.Path(path_type=Path), help="The bundle's directory.")
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Seconds; then stop.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the room and for the agent.",
)
@click.option("--caller", metavar="IDENTITY", help="Who the caller is (the first who is no agent).")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
)
def command(
    room: str,
    build: str | None,
    out: Path | None,
    duration: float | None,
    wait: float,
    caller: str | None,
    env_file: Path | None,
) -> None:
    """Record the room until it ends, until --duration, or until Ctrl-C.

    Joins hidden: nobody in the room sees it. Without --build it records from the outside, and the
    bundle says that it holds no cassette.
    """
    import asyncio

    from lkgate.builds import resolve
    from lkgate.cli.settings import settings
    from lkgate.record import Credentials, RecordOptions, record_room
    from lkgate.replay.names import file_name

    config = settings()
    credentials = Credentials.read(os.environ, env_file)
    options = RecordOptions(
        room=room,
        out=out or config.recordings / f"{file_name(room)}-{time.strftime('%Y%m%d-%H%M%S')}",
        credentials=credentials,
        build=resolve(build, config) if build else None,
        caller=caller,
        wait_us=round(wait * 1e6),
        duration_us=None if duration is None else round(duration * 1e6),
    )
    show, end = _progress_line()
    try:
        path = asyncio.run(
            record_room(
                options,
                on_progress=show,
                on_warning=lambda text: click.echo(f"warning: {text}", err=True),
            )
        )
    finally:
        end()
    click.echo(str(path))


def _progress_line() -> tuple[Callable[[Progress], None], Callable[[], None]]:
    """One line that is written over on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        return (lambda _: None), (lambda: None)

    def show(at: Progress) -> None:
        seconds = at.elapsed_us // 1_000_000
        text = (
            f"{at.state}  {seconds // 60}:{seconds % 60:02d}  {at.tracks} tracks  "
            f"{at.events} events  {at.bytes / 1e6:.1f} MB"
        )
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    return show, lambda: click.echo("\r\x1b[K", nl=False, err=True)
