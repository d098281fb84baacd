"""``lkgate show``: a session to read."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("show")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--events", is_flag=True, help="Every event, a line each, instead of the turns.")
def command(bundle: Path, events: bool) -> None:
    """Print who said what when in BUNDLE, its tool calls, interruptions and latencies."""
    import json

    from lkgate.bundle import read
    from lkgate.report.inert import visible

    found = read(bundle)
    if events:
        for event in found.events:
            data = json.dumps(event.data, ensure_ascii=False)
            click.echo(visible(f"{event.t_us / 1e6:10.3f}  {event.kind}  {data}"))
        return
    from lkgate.cli.terminal import print_report
    from lkgate.measure import measure, turns_of
    from lkgate.report.session import render

    turns = turns_of(found)
    print_report(render(found, turns, measure(found, turns, found.labels)))
