"""``lkgate list``: the recordings, and what each one has."""

from __future__ import annotations

import click

from lkgate.cli.exits import Exit


@click.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(form: str) -> int:
    """List the recordings: length, turns, cassette, labels (reviewed?), baseline (stale?).

    Exit code 2 if one of them, or its baseline, is not whole.

    Example: lkgate list
    """
    from lkgate.cli.settings import settings
    from lkgate.cli.terminal import print_report
    from lkgate.report.accepting import listed, rows
    from lkgate.report.inert import json_text, visible
    from lkgate.suite import entries

    config = settings()
    found = list(entries(config.recordings))
    if form == "json":
        click.echo(json_text(rows(found), indent=2))
    elif found:
        print_report(listed(found))
    else:
        click.echo(
            f"no recordings in {config.recordings}: `lkgate record`, `lkgate import` and "
            "`lkgate promote` make some",
            err=True,
        )
    for one in found:
        if one.wrong is not None and one.wrong.next_step:
            click.echo(visible(f"{one.call}: {one.wrong.next_step}"), err=True)
    return Exit.PASS if all(one.wrong is None for one in found) else Exit.USAGE
