"""``--report KIND=PATH``: the same verdicts in files, for whoever else reads them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli.exits import Exit
from lkgate.cli.failure import UnwrittenError
from lkgate.cli.pages import page_of, write_pages

if TYPE_CHECKING:
    from lkgate.model.verdict import LiveRoom, Verdict
    from lkgate.report.html import Sources

KINDS = ("text", "html", "json", "junit", "markdown", "github", "sarif")
# Names the last HTML report, in the project's `.lkgate` directory.
_LAST = "report"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report to write.

    Attributes:
        about: what tells it from other reports on the same pull request.
    """

    kind: str
    path: Path
    about: tuple[str, ...] = ()


def about(against: str, gates: Sequence[Path], *, rooms: bool = False) -> tuple[str, ...]:
    """What a run is about, as far as the command line says: known whatever becomes of it.

    Args:
        against, gates: as given.
        rooms: whether the calls take place in real ones.
    """
    directory = from_workspace()
    words = [against, *map(str, gates)]
    words += ["in rooms"] if rooms else []
    words += [f"in {directory}"] if directory else []
    return tuple(words)


def parse(values: Sequence[str], *, gates: int, about: tuple[str, ...] = ()) -> list[Wanted]:
    """What ``--report`` names.

    Args:
        gates: how many.
        about: see :func:`about`.

    Raises:
        click.UsageError: no KIND=PATH, an unknown kind, one path twice, or JSON of several gates.
    """
    wanted: list[Wanted] = []
    for value in values:
        kind, equals, path = value.partition("=")
        if not equals or not path:
            raise click.UsageError(f"--report takes KIND=PATH, not {value!r}")
        if kind not in KINDS:
            close = difflib.get_close_matches(kind, KINDS, n=1)
            meant = f"Did you mean {close[0]!r}? " if close else ""
            raise click.UsageError(
                f"there is no report of kind {kind!r}. {meant}There are: {', '.join(KINDS)}."
            )
        if _is_dir(path):
            raise click.UsageError(f"--report {kind}: {path} is a directory, not a file")
        if any(one.path == Path(path) for one in wanted):
            raise click.UsageError(f"two reports cannot both be written to {path}")
        wanted.append(Wanted(kind, Path(path), about))
    paths = {one.path for one in wanted}
    for one in wanted:
        further = {page_of(one.path, n) for n in range(2, gates + 1) if one.kind == "html"}
        if taken := further & paths:
            raise click.UsageError(
                f"two reports cannot both be written to {min(taken)}: of several gates, "
                f"{one.path} has a page for each"
            )
        if gates > 1 and one.kind == "json":
            raise click.UsageError(
                "--report json= reports on exactly one gate: name it with --gate"
            )
    if not gates and wanted:
        raise click.UsageError("--report needs a gate: leave --no-gate out")
    return wanted


def named(values: Sequence[str], about: tuple[str, ...]) -> list[Wanted]:
    """What can be written of what ``--report`` names, be the rest as wrong as it may."""
    pairs = (value.partition("=")[::2] for value in values)
    return [
        Wanted(kind, Path(path), about)
        for kind, path in pairs
        if kind in KINDS and path and not _is_dir(path)
    ]


def _is_dir(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:  # no name that the disk takes: writing tells
        return False


def write(
    wanted: Sequence[Wanted],
    verdicts: Sequence[Verdict],
    *,
    build: str,
    digest: str | None,
    state: Path,
    live: LiveRoom | None = None,
    sources: Callable[[], Mapping[str, Sources]] = dict,
) -> dict[str, Exception]:
    """Write every report, making the directories that it needs.

    HTML is a page for each gate: ``report.html``, ``report-2.html``. One that cannot be written
    costs neither the others nor the verdict: see :func:`reported`.

    Args:
        state: the project's ``.lkgate`` directory, where `lkgate open` finds the last HTML report.
        live: that the calls took place in a live room.
        sources: what can be listened to; asked for only if a report holds sound.

    Returns:
        What prevented a report, by its KIND=PATH.
    """
    unwritten: dict[str, Exception] = {}
    for one in wanted:
        try:
            one.path.parent.mkdir(parents=True, exist_ok=True)
            if one.kind == "html":
                write_pages(
                    one.path,
                    verdicts,
                    build=build,
                    digest=digest,
                    live=live,
                    sources=sources(),
                )
                state.mkdir(parents=True, exist_ok=True)
                (state / _LAST).write_text(f"{one.path.resolve()}\n", encoding="utf-8")
                continue
            text = _rendered(one, verdicts, build, digest, live)
            one.path.write_text(text, encoding="utf-8", errors="replace")
        except Exception as error:  # noqa: BLE001 - told by `main`, with whatever else is wrong
            unwritten[f"{one.kind}={one.path}"] = error
    return unwritten


def reported(code: Exit, unwritten: Mapping[str, Exception]) -> Exit:
    """``code``, once every report is written.

    Raises:
        UnwrittenError: one is not.
    """
    if unwritten:
        raise UnwrittenError(code, unwritten)
    return code


def last_report() -> Path:
    """The last HTML report that was written of the project here.

    Raises:
        ConfigError: there is none, or it is gone.
    """
    from lkgate.cli.settings import settings
    from lkgate.errors import ConfigError
    from lkgate.replay.run import ReplayOptions

    again = "Run `lkgate replay --against BUILD --report html=report.html`, or name a report."
    pointer = ReplayOptions.of(settings()).state / _LAST
    if not pointer.is_file():
        raise ConfigError("no HTML report has been written here", next_step=again)
    path = Path(pointer.read_text("utf-8").removesuffix("\n"))
    if not path.is_file():
        raise ConfigError("the last HTML report is gone", where=str(path), next_step=again)
    return path


def _rendered(
    wanted: Wanted,
    verdicts: Sequence[Verdict],
    build: str,
    digest: str | None,
    live: LiveRoom | None,
) -> str:
    """Every kind but HTML."""
    from lkgate.report import annotations, json, junit, markdown, sarif, text

    match wanted.kind:
        case "text":
            return "".join(
                text.render(one, build=build, digest=digest, verbose=True, live=live).plain
                for one in verdicts
            )
        case "json":
            (verdict,) = verdicts
            return json.render(verdict, build=build, digest=digest, live=live)
        case "junit":
            return junit.render(verdicts, build=build)
        case "markdown":
            return markdown.render(verdicts, build=build, about=wanted.about, live=live)
        case "github":
            return annotations.render(verdicts, build=build, directory=from_workspace())
        case "sarif":
            return sarif.render(verdicts, build=build, digest=digest, directory=from_workspace())
        case kind:
            raise AssertionError(kind)


def from_workspace() -> str:
    """Where this runs within the repository that GitHub checked out; ``""`` at its root."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace:
        return ""
    here, root = Path.cwd().resolve(), Path(workspace).resolve()
    return "" if here == root or root not in here.parents else here.relative_to(root).as_posix()
