"""``lkgate --verbose``: what is being done and how long it takes, on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lkgate.replay.outcome import Outcome
    from lkgate.replay.pool import Progress


def wanted() -> bool:
    """Whether the command line asks for it; what is no command line does not."""
    context = click.get_current_context(silent=True)
    return context is not None and bool((context.find_root().obj or {}).get("verbose"))


def tell(text: str) -> None:
    """A line, if it is wanted."""
    if wanted():
        click.echo(text, err=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Tell how long this lasted, once it is over."""
    began_s = time.monotonic()
    yield
    tell(f"{what}: {time.monotonic() - began_s:.1f} s")


def tell_replays(build: str, calls: int) -> Callable[[Progress], None]:
    """A handler of the pool's progress: a line for the loaded build, and one for every call's end.

    Args:
        calls: how many will end.
    """
    began_s, ended = time.monotonic(), 0

    def show(event: Progress) -> None:
        nonlocal ended
        if event.kind == "ready":
            tell(f"loaded {build}: {time.monotonic() - began_s:.1f} s")
        elif event.outcome is not None:
            ended += 1
            tell(f"[{ended}/{calls}] {_told(event.outcome)}")

    return show


def _told(outcome: Outcome) -> str:
    if outcome.failure is not None:
        return f"{outcome.call}: {outcome.failure.kind}, after {outcome.wall_s:.1f} s"
    assert outcome.bundle is not None
    stats = outcome.stats
    return (
        f"{outcome.call}: {outcome.bundle.manifest.duration_us / 1e6:.1f} s replayed in "
        f"{outcome.wall_s:.1f} s ({stats.get('cpu_s')} s of processor, {stats.get('peak_mb')} MB)"
    )
