"""``lkgate init``: an agent's repository made ready."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click


@click.command("init")
@click.option(
    "--program",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The agent's program, where it is not found by itself.",
)
@click.option(
    "--load/--no-load",
    default=None,
    help="Load the program at the end to see that it can be replayed (asked on a terminal).",
)
def command(program: Path | None, load: bool | None) -> None:
    """Write settings, a gate and a workflow for the agent of this directory.

    Reads the sources and runs none of them. What is there already is left as it is.

    Example: cd my-agent && lkgate init
    """
    from lkgate.cli.settings import settings
    from lkgate.errors import ConfigError
    from lkgate.report.inert import visible
    from lkgate.scaffold import (
        declared,
        entry,
        find_programs,
        installed,
        read_program,
        starts,
        unpublished,
        write,
    )

    root = Path.cwd()
    found = find_programs(root)
    build = declared(root)
    if build is not None:
        # What the settings name comes first, wherever it stands.
        found.sort(key=lambda one: not starts(build, root, one))
    if program is not None:
        named = program.resolve()
        if not named.is_relative_to(root.resolve()):
            raise ConfigError("it is not below this directory", where=str(program))
        read = read_program(root.resolve(), named)
        if read is None:
            raise ConfigError(
                "this runs no agent worker: it calls no `cli.run_app`", where=str(program)
            )
        if build is not None and not starts(build, root, read):
            raise ConfigError(
                f"the build `{build.name}` of the settings is another program, and what is "
                "there is left as it is",
                where=build.where,
                next_step=f"Say there: {', '.join(entry(read))}",
            )
        found = [read]
    if not found:
        raise ConfigError(
            "no agent program found: no Python file here runs an agent worker (`cli.run_app`)",
            where=str(root),
            next_step="Run it where the agent's sources are, or name the file with --program.",
        )
    chosen, *others = found
    came = installed()
    done = write(root, chosen, came)
    click.echo(visible(f"agent program: {chosen.path}"))
    for one in others:
        click.echo(visible(f"  also found: {one.path} (choose it with --program)"))
    for change in done:
        why = f": {change.why}" if change.why else ""
        click.echo(visible(f"{change.what:>8} {change.path}{why}"))
    lacking = _lacks_livekit()
    if lacking is not None:
        click.echo(f"\n{lacking}")
        load = False if load is None else load
    if load is None:
        load = sys.stdin.isatty() and click.confirm(
            "Load the program now, without network and keys, to see that it can be replayed?"
        )
    if load:
        _load()
    changed = [change.path for change in done if change.what != "kept"]
    click.echo(
        "\nNext:\n"
        "  export LIVEKIT_URL=... LIVEKIT_API_KEY=... LIVEKIT_API_SECRET=...\n"
        "  lkgate record --room my-room --build candidate   # talk to the agent there, Ctrl-C\n"
        "  lkgate replay --against candidate --no-gate      # the same call, from the recording\n"
        "  lkgate accept --build candidate                  # this is how it should be\n"
        f"  git add {shlex.join([*changed, os.path.relpath(settings().recordings)])}"
    )
    flow = next((path for path in changed if ".github/workflows/" in path), None)
    if flow is not None and not came.there:
        click.echo(f"\nBefore the workflow can run ({visible(flow)}):\n  {unpublished(came)}")


def _lacks_livekit() -> str | None:
    """What to do where the build would run in lkgate's own interpreter, which cannot run it."""
    from importlib.metadata import PackageNotFoundError, version

    from lkgate.cli.settings import settings

    build = settings().builds.get("candidate")
    if build is None or build.python is not None:
        return None
    try:
        version("livekit-agents")
    except PackageNotFoundError:
        return (
            "No environment of the agent is here (uv.lock, .venv, venv), and lkgate's own has no\n"
            "livekit-agents. Name the agent's interpreter: [tool.lkgate.builds.candidate] python"
        )
    return None


def _load() -> None:
    from lkgate.builds import resolve
    from lkgate.cli.settings import settings
    from lkgate.replay.pool import replay_calls

    config = settings()
    build = resolve("candidate", config)
    replay_calls(
        build,
        [],
        workers=1,
        wall_limit_s=config.replay.wall_limit_s,
        load_limit_s=config.replay.load_limit_s,
        on_event=lambda _: None,
        load={"models": "cassette", "seed": config.replay.seed},
    )
    click.echo("  loaded: it makes an agent server, so recorded calls can be replayed into it")
