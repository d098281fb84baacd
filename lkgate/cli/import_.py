"""``lkgate import``: a call that something else recorded as a bundle."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli.parameters import from_here
from lkgate.report.inert import visible_lines

if TYPE_CHECKING:
    from lkgate.ingest import Channel


@click.command("import")
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path)
)
@click.option("--out", type=click.Path(path_type=Path), help="The bundle's directory.")
@click.option("--id", "name", metavar="NAME", help="The call's name (that of its directory).")
@click.option(
    "--channels",
    metavar="WHO,...",
    help="Who is on which channel, in the files' order: caller, agent, other, mixed or none.",
)
@click.option(
    "--allow-truncated", is_flag=True, help="Take audio that was cut off, up to where it goes."
)
def command(
    sources: tuple[Path, ...],
    out: Path | None,
    name: str | None,
    channels: str | None,
    allow_truncated: bool,
) -> None:
    """Make a bundle of the files of one call.

    \b
    session_report.json audio.ogg       LiveKit's own report and recording of a session
    a.ogg a.ogg.json b.ogg b.ogg.json   egress files (Ogg, MP4, WebM) and their manifests
    call.wav call.jsonl                 two channels, caller and agent, and a transcript:
                                        {"speaker": "caller", "start": 1.2, "end": 3, "text": "Hi."}
    caller.wav agent.wav                two files of one channel

    What such files cannot tell is absent in the bundle, and metrics that need it have no data.

    Example: lkgate import call.wav call.jsonl --id refund
    """
    import os

    from lkgate.cli.settings import settings
    from lkgate.ingest import ImportOptions, import_call
    from lkgate.replay.names import file_name
    from lkgate.secret import Secrets

    place = out or settings().recordings / file_name(name or sources[0].stem)
    path = import_call(
        ImportOptions(sources, place, name, _channels(channels), allow_truncated),
        secrets=Secrets.of(os.environ),
        on_warning=lambda text: click.echo(visible_lines(f"warning: {text}"), err=True),
    )
    click.echo(str(path))
    words = shlex.join(
        ["lkgate", "replay", str(from_here(path)), "--against", "BUILD", "--no-gate"]
    )
    click.echo(visible_lines(f"Next: {words}"), err=True)


def _channels(text: str | None) -> tuple[Channel, ...] | None:
    if text is None:
        return None
    from lkgate.ingest import CHANNELS

    found: list[Channel] = []
    for word in text.split(","):
        channel = next((known for known in CHANNELS if known == word.strip()), None)
        if channel is None:
            raise click.BadParameter(
                f"'{word.strip()}' is none of {', '.join(CHANNELS)}", param_hint="'--channels'"
            )
        found.append(channel)
    return tuple(found)
