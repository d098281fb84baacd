"""A job's log, of which the runner takes some lines for commands of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

from lkgate.report.inert import without_commands

# GitHub's runner and those that are made like it; Azure's agent.
_RUNNERS = ("GITHUB_ACTIONS", "TF_BUILD")


@contextmanager
def in_a_job(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Where a runner reads both streams, nothing that is printed commands it.

    What is foreign may come by any way: a report, an error, a traceback, a line that was broken at
    the console's width. So this is where all of them pass. Elsewhere the streams are left alone:
    what is printed may be data.
    """
    if not any(environment.get(name) for name in _RUNNERS):
        yield
        return
    out, err = (cast(TextIO, _Inert(stream)) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        yield


class _Inert:
    """A text stream whose every write begins a line, as far as commands go."""

    # Whoever looks for bytes below the text would go around this.
    buffer = None

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(without_commands(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
