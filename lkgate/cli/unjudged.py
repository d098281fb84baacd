"""Reports of a run that comes to no verdict: the last run's are not left standing as if of this."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click

from lkgate.cli.failure import UnwrittenError
from lkgate.cli.pages import remove_pages
from lkgate.cli.reports import Wanted, about, from_workspace, named
from lkgate.errors import LkgateError

if TYPE_CHECKING:
    from lkgate.model.verdict import Problem

P = ParamSpec("P")
UNKNOWN = "unknown build"
_WHAT = "lkgate could not judge"


def reporting(command: Callable[P, int]) -> Callable[P, int]:
    """A command with ``--report``, whose reports also tell of an error that ends it.

    Until it ends, they say that it has not: nothing else could, of a run that is killed. Of a
    command line that does not come here :func:`refused` tells.
    """

    @functools.wraps(command)
    def reported(*args: P.args, **given: P.kwargs) -> int:
        _refuse_unset(given)
        wanted, build = _asked(given)
        running = "the run has not ended, or was ended before it could judge"
        write(wanted, build, _WHAT, [_problem(running, "See the log for how far it came.")])
        try:
            return command(*args, **given)
        except (click.exceptions.Exit, click.Abort, UnwrittenError):
            # Of the last one the verdict stands, and so do the reports that were written.
            raise
        except Exception as error:
            also = error.also if isinstance(error, LkgateError) else ()
            write(wanted, build, _WHAT, [_problem(*_reason(one)) for one in (error, *also)])
            raise

    return reported


def refused(words: Sequence[str], error: click.UsageError, command: str) -> None:
    """The reports that a wrong command line names tell what is wrong with it.

    What they are is taken from the words themselves: there are no options where not all of them
    can be read.

    Args:
        words: behind the program's name.
        command: whose `--help` tells more.
    """
    build = [word for word in _values(words, "--against") if not word.startswith("-")]
    gates = [Path(word) for word in _values(words, "--gate") if not word.startswith("-")]
    name = (build or [UNKNOWN])[-1] or UNKNOWN
    subject = about(name, gates, rooms="room" in _values(words, "--transport"))
    step = f"`{command} --help` lists what there is."
    problem = _problem(_reason(error)[0], step)
    write(named(_values(words, "--report"), subject), name, _WHAT, [problem])


def _values(words: Sequence[str], option: str) -> list[str]:
    """What stands behind an option, be the words between as wrong as they may."""
    end = words.index("--") if "--" in words else len(words)
    found = []
    for word, following in zip(words[:end], [*words[1:end], ""], strict=True):
        if word == option:
            found.append(following)
        elif word.startswith(f"{option}="):
            found.append(word.removeprefix(f"{option}="))
    return found


def _refuse_unset(given: Mapping[str, object]) -> None:
    """An option without its value, as where a variable is not set.

    Raises:
        UsageError: one is empty, or has taken the next option for its value.
    """
    params = click.get_current_context().command.params
    names = {name for one in params for name in one.opts}
    for one in params:
        value = given[str(one.name)] if isinstance(one, click.Option) else ()
        if one.required and value == "":
            raise click.UsageError(f"{one.opts[0]} is empty: is the variable set that gives it?")
        for each in value if isinstance(value, tuple) else (value,):
            if str(each).partition("=")[0] in names:
                raise click.UsageError(f"{one.opts[0]} has no value: '{each}' is an option")


def write(wanted: Sequence[Wanted], build: str, what: str, problems: Sequence[Problem]) -> None:
    """The reports that a person reads say why; those that programs read are taken away.

    What is no file (a pipe, a device) is left alone, and so is what cannot be written: whoever ends
    the run tells of the error itself, also of a full disk.

    Args:
        what: one line that says it in short.
    """
    for one in wanted:
        with suppress(OSError):
            if one.path.is_file() or not one.path.exists():
                _write(one, build, what, problems)


def clear(wanted: Sequence[Wanted]) -> None:
    """Take the reports away, as far as they are files."""
    for one in wanted:
        with suppress(OSError):
            if one.path.is_file():
                _remove(one)


def _remove(one: Wanted) -> None:
    if one.kind == "html":
        remove_pages(one.path)
    else:
        one.path.unlink(missing_ok=True)


def _write(one: Wanted, build: str, what: str, problems: Sequence[Problem]) -> None:
    from lkgate.report import annotations, junit, markdown

    match one.kind:
        case "text":
            text = text_of(problems, build=build, what=what)
        case "markdown":
            text = markdown.unjudged(problems, build=build, what=what, about=one.about)
        case "junit":
            text = junit.unjudged(problems, build=build)
        case "github":
            text = annotations.unjudged(problems, build=build, directory=from_workspace())
        case _:
            # They hold calls and rules, and there are none.
            _remove(one)
            return
    one.path.parent.mkdir(parents=True, exist_ok=True)
    one.path.write_text(text, encoding="utf-8", errors="replace")


def text_of(problems: Sequence[Problem], *, build: str, what: str) -> str:
    """For a terminal."""
    from lkgate.report.inert import visible

    lines = [f"NO VERDICT  {build}: {what}"]
    for one in problems:
        lines.append(f"  {one.reason}")
        lines += [f"    {one.next_step}"] if one.next_step else []
    # Much of it is what files and programs say.
    return "".join(f"{visible(line)}\n" for line in lines)


def _asked(given: object) -> tuple[list[Wanted], str]:
    match given:
        case {"reports": tuple(reports), "gates": tuple(gates), "against": build, **rest}:
            name = build or UNKNOWN
            subject = about(name, gates, rooms=rest.get("transport") == "room")
            return named(reports, subject), name
    raise AssertionError(given)


def _reason(error: Exception) -> tuple[str, str | None]:
    """What is wrong and what to do, with paths as a reader of the report has them."""
    what, step = _words(error)
    here = f"{Path.cwd()}{os.sep}"
    return what.replace(here, ""), step.replace(here, "") if step else step


def _words(error: Exception) -> tuple[str, str | None]:
    if isinstance(error, LkgateError):
        where = f"{error.where}: " if error.where else ""
        return f"{where}{error.what}", error.next_step
    if isinstance(error, click.ClickException):
        return error.format_message(), None
    if isinstance(error, OSError):
        return str(error), "See the log."
    return f"a bug in lkgate: {type(error).__name__}: {error}", "See the log."


def _problem(reason: str, next_step: str | None) -> Problem:
    from lkgate.model.verdict import Problem

    return Problem(None, reason, next_step)
