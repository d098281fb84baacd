"""``lkgate metrics``: what a gate can name."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


def _complete(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    from lkgate.gate.metrics import SPECS

    return [
        CompletionItem(name, help=spec.doc)
        for name, spec in SPECS.items()
        if name.startswith(begun)
    ]


@click.command("metrics")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_complete)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="markdown is the part of docs/metrics.md that is made from the registry.",
)
def command(names: tuple[str, ...], form: str) -> None:
    """List every metric that a gate can name, plugins' too; with NAMEs, all about these.

    Example: lkgate metrics response_latency
    """
    import difflib

    from lkgate.cli.terminal import print_report
    from lkgate.errors import ConfigError
    from lkgate.gate.metrics import SPECS
    from lkgate.measure.judged import is_own
    from lkgate.report import metrics

    for name in names:
        if name not in SPECS:
            close = difflib.get_close_matches(name, list(SPECS), n=1, cutoff=0.5)
            raise ConfigError(
                f"there is no metric {name!r}",
                next_step=f"Did you mean {close[0]!r}?" if close else "`lkgate metrics` lists all.",
            )
    if form == "markdown":
        if names:
            raise click.UsageError("--format markdown is of all metrics, not of some")
        click.echo(metrics.markdown(), nl=False)
        return
    found = metrics.groups()
    if names:
        found = {
            title: tuple(spec for spec in specs if spec.name in names)
            for title, specs in found.items()
        }
        found = {title: specs for title, specs in found.items() if specs}
        if own := tuple(SPECS[name] for name in names if is_own(name)):
            found["A gate's own"] = own
    if form == "json":
        click.echo(metrics.as_json(found))
    elif names:
        for specs in found.values():
            for spec in specs:
                print_report(metrics.entry(spec))
    else:
        print_report(metrics.table(found))
