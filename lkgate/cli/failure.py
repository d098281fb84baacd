"""What was raised, as text for the user and as an exit code."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping
from pathlib import Path

import click

from lkgate import __version__
from lkgate.cli.exits import Exit, exit_of
from lkgate.errors import LkgateError
from lkgate.report.inert import visible_lines

# Of disks and whose they are, not of code.
_DISK = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EIO,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


class PipeError(Exception):
    """A pipe broke that is none of the process's own streams: a file that somebody named."""


class UnwrittenError(Exception):
    """Reports that could not be written, of a verdict that stands.

    Args:
        code: the verdict's.
        errors: what prevented each, by its KIND=PATH.
    """

    def __init__(self, code: Exit, errors: Mapping[str, Exception]):
        super().__init__(code, errors)
        self.code = code
        self.errors = errors


def tell(error: Exception, *, debug: bool) -> Exit:
    """Print on stderr what ``error`` means for the user; the exit code that it asks for.

    Args:
        debug: with its traceback.
    """
    if isinstance(error, UnwrittenError):
        return _tell_unwritten(error, debug=debug)
    if debug:
        traceback.print_exception(error)
    if isinstance(error, LkgateError):
        for one in (error, *error.also):
            click.echo(visible_lines(f"error: {one}"), err=True)
        return exit_of(error)
    if isinstance(error, PipeError | BrokenPipeError):
        click.echo("error: what was being written to is no longer read", err=True)
        return Exit.INCOMPLETE
    if isinstance(error, FileNotFoundError) and not _directory_is_there():
        click.echo(
            "error: the directory that this runs in was removed\n  Change to another.", err=True
        )
        return Exit.USAGE
    if isinstance(error, OSError) and error.errno in _DISK:
        place = f"{error.filename}: " if error.filename else "the output: "
        click.echo(
            visible_lines(f"error: {place}{error.strerror}\n")
            + "  Free space there, make it writable, or name another place.",
            err=True,
        )
        return Exit.INCOMPLETE
    click.echo(
        visible_lines(f"error: a bug in lkgate {__version__}: {type(error).__name__}: {error}\n")
        + "  Run the same command with --debug and report what it prints.",
        err=True,
    )
    return Exit.BUG


def _directory_is_there() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _tell_unwritten(unwritten: UnwrittenError, *, debug: bool) -> Exit:
    """A red verdict keeps its code; a pass whose reports are not all there did not complete."""
    codes = set()
    for report, error in unwritten.errors.items():
        click.echo(visible_lines(f"the report {report} was not written:"), err=True)
        codes.add(tell(error, debug=debug))
    if unwritten.code != Exit.PASS:
        return unwritten.code
    return Exit.BUG if Exit.BUG in codes else Exit.INCOMPLETE
