"""``lkgate record``: a live room as a bundle, or a server's rooms as they appear."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli import complete
from lkgate.cli.exits import Exit
from lkgate.cli.quantity import address, age_us, size_bytes
from lkgate.cli.settings import settings
from lkgate.errors import ConfigError
from lkgate.report.inert import visible_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from lkgate.record import Hook, Progress, RecordOptions, WatchOptions

# Of --watch alone.
_WATCH_ONLY = ("sample", "max_rooms", "keep", "keep_age", "keep_disk", "webhook_listen", "log")


@click.command("record")
@click.option("--room", help="The room's name.")
@click.option("--watch", multiple=True, metavar="PATTERN", help="Rooms' names: 'clinic-*'.")
@click.option(
    "--build",
    metavar="BUILD",
    help="Start this build's worker, dispatch it, tape models.",
    shell_complete=complete.builds,
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The bundle's directory; with --watch, the one of all bundles.",
)
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), help="Seconds; then stop.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the room and for the agent.",
)
@click.option("--caller", metavar="IDENTITY", help="Who the caller is (the first who is no agent).")
@click.option(
    "--topic",
    "topics",
    multiple=True,
    help="Also keep what small text streams and data packets of this topic say.",
)
@click.option(
    "--worker-url",
    metavar="URL",
    help="Where the agent's worker answers health checks (http://HOST:8081), to say why none came.",
)
@click.option(
    "--require-attribute",
    metavar="NAME=VALUE",
    help="Record nothing unless everybody but agents (or --caller alone) has this attribute.",
)
@click.option(
    "--on-bundle", metavar="COMMAND", help="Run for every finished bundle: its path is added."
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
)
@click.option(
    "--sample",
    type=click.FloatRange(min=0, max=1),
    default=1.0,
    show_default=True,
    help="Watching: the share of rooms to record, by a hash of their names.",
)
@click.option(
    "--max-rooms",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Watching: rooms at once; further ones are not recorded.",
)
@click.option(
    "--keep", type=click.IntRange(min=1), help="Watching: how many of its bundles to keep."
)
@click.option("--keep-age", metavar="AGE", callback=age_us, help="Watching: how long (30d).")
@click.option("--keep-disk", metavar="SIZE", callback=size_bytes, help="Watching: disk (20GB).")
@click.option(
    "--webhook-listen",
    metavar="HOST:PORT",
    callback=address,
    help="Watching: hear of new rooms at once, by LiveKit's webhooks.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Watching: append the JSON lines to this file and not to stderr.",
)
@click.pass_context
def command(
    ctx: click.Context,
    room: str | None,
    watch: tuple[str, ...],
    build: str | None,
    out: Path | None,
    duration: float | None,
    wait: float,
    caller: str | None,
    topics: tuple[str, ...],
    worker_url: str | None,
    require_attribute: str | None,
    on_bundle: str | None,
    env_file: Path | None,
    sample: float,
    max_rooms: int,
    keep: int | None,
    keep_age: int | None,
    keep_disk: int | None,
    webhook_listen: tuple[str, int] | None,
    log: Path | None,
) -> None:
    """Record a room until it ends, until --duration, or until Ctrl-C; or, with --watch, rooms as
    they appear, until SIGTERM or Ctrl-C.

    Joins hidden: nobody in the room sees it. Without --build it records from the outside, and the
    bundle says that it holds no cassette. Prints each bundle's path. Watching ends with 0 when
    every open recording was closed, and with 4 when one could not be.

    Example: lkgate record --room my-room --build candidate
    """
    _usage(ctx, room, watch, build, require_attribute)

    from lkgate.builds import resolve
    from lkgate.record import (
        Attribute,
        Credentials,
        Hook,
        Limits,
        RecordOptions,
        WatchOptions,
        bundle_name,
    )

    config = settings()
    consent = Attribute.parse(require_attribute) if require_attribute is not None else None
    hook = Hook.parse(on_bundle) if on_bundle is not None else None
    stamp = time.strftime("%Y%m%d-%H%M%S")
    default = config.recordings if room is None else config.recordings / bundle_name(room, stamp)
    options = RecordOptions(
        room=room or "",
        out=out or default,
        # First: a name is corrected before keys are asked for.
        build=resolve(build, config) if build else None,
        credentials=Credentials.read(os.environ, env_file),
        caller=caller,
        topics=topics,
        worker_url=worker_url,
        wait_us=round(wait * 1e6),
        duration_us=None if duration is None else round(duration * 1e6),
        consent=consent,
    )
    if room is not None:
        _record(options, hook)
        return
    many = WatchOptions(
        patterns=watch,
        room=options,
        sample_ratio=sample,
        max_rooms=max_rooms,
        limits=Limits(keep, keep_age, keep_disk),
        hook=hook,
        webhook=webhook_listen,
    )
    ctx.exit(_watch(many, log))


def _usage(
    ctx: click.Context,
    room: str | None,
    watch: tuple[str, ...],
    build: str | None,
    require_attribute: str | None,
) -> None:
    if (room is None) == (not watch):
        raise click.UsageError("Give either --room or --watch.", ctx)
    if room == "":
        raise click.BadParameter("a room's name is not empty.", ctx, param_hint="--room")
    if "" in watch:
        raise click.BadParameter("no room has an empty name.", ctx, param_hint="--watch")
    if build is not None and watch:
        raise click.UsageError("--build is of --room alone: it starts one call's agent.", ctx)
    if build is not None and require_attribute is not None:
        raise click.UsageError("--require-attribute is for calls that --build does not start.", ctx)
    given = click.core.ParameterSource.COMMANDLINE
    wrong = [name for name in _WATCH_ONLY if ctx.get_parameter_source(name) == given]
    if room is not None and wrong:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in wrong)
        raise click.UsageError(f"{options}: of --watch alone.", ctx)


def _record(options: RecordOptions, hook: Hook | None) -> None:
    from lkgate.record import StoppedError, record_room

    show, end = _progress_line()
    try:
        path = asyncio.run(record_room(options, on_progress=show, on_warning=_warn))
    except StoppedError:
        raise KeyboardInterrupt from None
    finally:
        end()
    click.echo(str(path))
    if hook is not None:
        outcome = asyncio.run(hook.run(path, os.environ))
        if outcome.output:
            click.echo(outcome.output, err=True)
        if outcome.reason is not None:
            _warn(f"--on-bundle: {outcome.reason}")


def _watch(options: WatchOptions, path: Path | None) -> Exit:
    from lkgate.record import CallLog, Lines, now_unix_us, watch_rooms
    from lkgate.secret import Secrets

    # Open to the end of the process, as stderr is: so long libraries may say something.
    output = sys.stderr.fileno() if path is None else _opened(path)
    secrets = Secrets.of(os.environ, options.room.credentials.environment())
    log = CallLog(Lines(output), now_unix_us=now_unix_us, secrets=secrets)
    log.take_over()
    lost = asyncio.run(watch_rooms(options, log=log, made=_print))
    return Exit.INCOMPLETE if lost else Exit.PASS


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    except OSError as error:
        raise ConfigError(
            f"the log cannot be opened: {error.strerror}",
            where=str(path),
            next_step="Make its directory, or name another file with --log.",
        ) from None


def _print(path: Path) -> None:
    try:
        click.echo(path)
    except BrokenPipeError:
        # Or Python would try once more when it ends, and fail by that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _warn(text: str) -> None:
    click.echo(visible_lines(f"warning: {text}"), err=True)


def _progress_line() -> tuple[Callable[[Progress], None], Callable[[], None]]:
    """One line that is written over on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        return (lambda _: None), (lambda: None)

    def show(at: Progress) -> None:
        seconds = at.elapsed_us // 1_000_000
        text = (
            f"{at.state}  {seconds // 60}:{seconds % 60:02d}  {at.tracks} tracks  "
            f"{at.events} events  {at.bytes / 1e6:.1f} MB"
        )
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    return show, lambda: click.echo("\r\x1b[K", nl=False, err=True)
