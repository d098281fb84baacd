"""``lkgate diff``: two bundles compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli.parameters import BUNDLE

if TYPE_CHECKING:
    from lkgate.model.bundle import Bundle


@click.command("diff")
@click.argument("old", metavar="A", type=BUNDLE)
@click.argument("new", metavar="B", type=BUNDLE)
@click.option("--verbose", "-v", is_flag=True, help="Every difference and every number.")
def command(old: Path, new: Path, verbose: bool) -> None:
    """Say what differs from bundle A to bundle B: words, tools, turn-taking, latencies.

    Each is a recording's name, or any bundle's path: a recording, a replay, a baseline. Judges
    nothing: exit code 0 whatever differs.

    Example: lkgate diff recordings/book/baseline .lkgate/replays/v2/book
    """
    from rich.text import Text

    from lkgate.bundle import read
    from lkgate.cli.terminal import print_report
    from lkgate.diff.comparison import compare
    from lkgate.measure.session import session_of
    from lkgate.report.comparison import render
    from lkgate.report.inert import visible

    was, now = read(old), read(new)
    # A replay has no labels of its own: its recording's are true of it too.
    of_one = _call(was) == _call(now)
    labels = (was.labels or now.labels) if of_one else None
    found = compare(session_of(was, was.labels or labels), session_of(now, now.labels or labels))
    head = Text().append(visible(f"{old} -> {new}"), style="bold").append("\n")
    if was.manifest.digest == now.manifest.digest:
        head.append("  both are the same session\n", style="dim")
    elif found.difference.aligned_by == "text":
        why = "a recording has no plan of its caller's" if of_one else "they are not of one call"
        head.append(f"  aligned by their words: {why}\n", style="dim")
    print_report(head.append_text(render(found, verbose=verbose)))


def _call(bundle: Bundle) -> str:
    """The digest of the recording that this is, or is a replay of."""
    return bundle.manifest.recording_digest or bundle.manifest.digest
