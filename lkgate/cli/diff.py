"""``lkgate diff``: two bundles compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lkgate.cli import complete

if TYPE_CHECKING:
    from lkgate.model.bundle import Bundle


@click.command("diff")
@click.argument("old", metavar="A", shell_complete=complete.recordings)
@click.argument("new", metavar="B", shell_complete=complete.recordings)
@click.option("--verbose", "-v", is_flag=True, help="Every difference and every number.")
def command(old: str, new: str, verbose: bool) -> None:
    """Say what differs from bundle A to bundle B: words, tools, turn-taking, latencies.

    Each is a recording's name, or any bundle's path: a recording, a replay, a baseline. Judges
    nothing: exit code 0 whatever differs.

    Example: lkgate diff recordings/book/baseline .lkgate/replays/v2/book
    """
    from rich.text import Text

    from lkgate.bundle import read
    from lkgate.cli.settings import settings
    from lkgate.cli.terminal import print_report
    from lkgate.diff.comparison import compare
    from lkgate.measure.session import session_of
    from lkgate.replay.recordings import find_recording
    from lkgate.report.comparison import render
    from lkgate.report.inert import visible

    config = settings()
    was, now = (read(find_recording(config.recordings, name)) for name in (old, new))
    # A replay has no labels of its own: its recording's are true of it too.
    labels = (was.labels or now.labels) if _call(was) == _call(now) else None
    found = compare(session_of(was, was.labels or labels), session_of(now, now.labels or labels))
    head = Text(visible(f"{old} -> {new}"), style="bold").append("\n")
    if found.difference.aligned_by == "text":
        head.append("  aligned by their words: they are not of one caller's plan\n", style="dim")
    print_report(head.append_text(render(found, verbose=verbose)))


def _call(bundle: Bundle) -> str:
    """The digest of the recording that this is, or is a replay of."""
    return bundle.manifest.recording_digest or bundle.manifest.digest
