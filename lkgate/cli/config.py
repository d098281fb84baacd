"""``lkgate config``: the settings that hold here, and where each came from."""

from __future__ import annotations

import click


@click.command("config")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(form: str) -> None:
    """Print every setting that holds in this directory, and where its value came from.

    A flag of a command wins over a variable LKGATE_*, that over the file, that over the default.
    What a build's variables are set to is not shown.

    Example: LKGATE_PACING=absolute lkgate config
    """
    import dataclasses
    import json
    import os
    from pathlib import Path

    from lkgate.cli.settings import settings
    from lkgate.config.origins import origins
    from lkgate.report.inert import visible

    config = settings()
    found = origins(Path.cwd(), os.environ)
    if form == "json":
        held = [dataclasses.asdict(one) for one in found]
        click.echo(json.dumps(held, indent=2, ensure_ascii=False))
        return
    if config.path is None:
        click.echo("no settings file here or above: defaults hold (`lkgate init` writes one)")
    values = [json.dumps(one.value, ensure_ascii=False) for one in found]
    width = max(len(one.name) for one in found)
    across = min(max(map(len, values)), 40)
    for one, value in zip(found, values, strict=True):
        click.echo(visible(f"{one.name:{width}}  {value:{across}}  {one.origin}"))
