"""A progress bar on stderr while calls replay; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lkgate.cli import verbose
from lkgate.cli.terminal import stderr
from lkgate.replay.pool import Progress


@contextmanager
def replay_progress(build: str, calls: int) -> Iterator[Callable[[Progress], None]]:
    """A handler of the pool's progress, and its bar while this lasts; lines if all is told."""
    if verbose.wanted():
        yield verbose.tell_replays(build, calls)
        return
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=stderr(), transient=True) as bar:
        task = bar.add_task(f"loading {build}", total=calls)

        def show(event: Progress) -> None:
            if event.kind == "ready":
                bar.update(task, description=f"replaying into {build}")
            elif event.kind == "ended":
                bar.advance(task)

        yield show
