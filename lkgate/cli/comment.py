"""``lkgate comment``: a report as the one comment that every run writes over."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.command("comment")
@click.argument("report", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def command(report: Path) -> None:
    """Put REPORT (of `--report markdown=REPORT`) on the pull request of this GitHub workflow.

    Written over is the comment of the same author about the same build, gate files and directory.
    It names the commit and links the run; a run of an older commit than the last leaves it alone.

    Needs GITHUB_TOKEN with `pull-requests: write`. Where the token may not write, as in a pull
    request from a fork, it says so and succeeds: the job's summary has the same text.

    Example: lkgate comment report.md
    """
    from lkgate.errors import ConfigError
    from lkgate.github import PullRequest, comment

    where = PullRequest.of(os.environ)
    if where is None:
        click.echo("not a pull request: nothing to comment on", err=True)
        return
    try:
        text = report.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("is no text in UTF-8", where=str(report)) from error
    done = comment(where, text)
    if done == "refused":
        click.echo("the token may not comment here (a fork's may not): left out", err=True)
    elif done == "overtaken":
        click.echo("the pull request has a newer commit: its run comments", err=True)
    else:
        click.echo(f"{done} the comment on {where.repository}#{where.number}", err=True)
