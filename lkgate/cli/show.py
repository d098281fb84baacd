"""``lkgate show``: a session to read."""

from __future__ import annotations

from pathlib import Path

import click

from lkgate.cli.parameters import BUNDLE


@click.command("show")
@click.argument("bundle", type=BUNDLE)
@click.option("--events", is_flag=True, help="Every event, a line each, instead of the turns.")
@click.option("--metrics", "all_metrics", is_flag=True, help="Every metric instead of the turns.")
@click.option(
    "--listen",
    "listened",
    is_flag=True,
    help="With --metrics, also those that listen to the audio (needs the extra `quality`).",
)
def command(bundle: Path, events: bool, all_metrics: bool, listened: bool) -> None:
    """Print who said what when in BUNDLE, its tool calls, interruptions and latencies.

    BUNDLE is a recording's name, or the path of any bundle.

    Example: lkgate show recordings/book --metrics
    """
    from lkgate.bundle import read

    if listened and not all_metrics:
        raise click.UsageError("--listen says what --metrics prints")
    if events and all_metrics:
        raise click.UsageError("--events and --metrics print different things: choose one")
    found = read(bundle)
    if events:
        from lkgate.report.inert import json_text, visible

        for event in found.events:
            head = f"{event.t_us / 1e6:10.3f}  {visible(event.kind)}"
            click.echo(f"{head}  {json_text(event.data)}")
        return
    from lkgate.cli.terminal import print_report
    from lkgate.measure import measure, turns_of
    from lkgate.report.session import numbers, render

    turns = turns_of(found)
    if not all_metrics:
        print_report(render(found, turns, measure(found, turns, found.labels)))
        return
    from lkgate.listen import LISTENED, listen
    from lkgate.listen.synthesis import spoken_for, synthesis

    heard = listen(bundle, found, LISTENED if listened else ("levels",))
    if found.manifest.source != "replay":
        heard = synthesis(heard, spoken_for(bundle))
    print_report(numbers(measure(heard, turns, found.labels)))
