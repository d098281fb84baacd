"""Exit codes, and what turns an outcome into one. Nothing below ``cli`` knows them."""

from __future__ import annotations

from enum import IntEnum

from lkgate.errors import (
    BuildError,
    ExportError,
    GithubError,
    LkgateError,
    RecordError,
    ReplayError,
)


class Exit(IntEnum):
    """What ``lkgate`` returns to the shell."""

    PASS = 0
    GATE_FAILED = 1
    USAGE = 2
    NO_VERDICT = 3
    INCOMPLETE = 4
    BUG = 70
    INTERRUPTED = 130


def exit_of(error: LkgateError) -> Exit:
    """The code of an expected failure: 4 where the world failed, 2 where the input is wrong."""
    if isinstance(error, BuildError | ReplayError | RecordError | GithubError | ExportError):
        return Exit.INCOMPLETE
    return Exit.USAGE
