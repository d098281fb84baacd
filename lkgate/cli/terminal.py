"""The two streams: stdout carries exactly the report, stderr everything else."""

from __future__ import annotations

import sys

from rich.console import Console


def stdout() -> Console:
    """Colour and wrapping on a terminal; plain, unwrapped text into a file or a pipe."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout, highlight=False, soft_wrap=not terminal, markup=False, emoji=False
    )


def stderr() -> Console:
    """For progress, logs and errors."""
    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
