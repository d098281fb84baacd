"""Words of the command line that mean a bundle or a gate file: completed, and corrected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli import complete

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    _Path = click.ParamType[Path]
else:  # generic since click 8.4
    _Path = click.ParamType


class _Bundle(_Path):
    """A recording by its call's name, or any bundle by its path; its place, as seen from here.

    Of a path that is there no settings are read: they may be wrong.
    """

    name = "bundle"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        from lkgate.replay.recordings import find_recording, is_name

        if isinstance(value, Path):
            return value
        if not is_name(value):
            return find_recording(Path(value).parent, value)
        return from_here(find_recording(complete.settled().recordings, value))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return complete.recordings(ctx, param, incomplete)


class _GateFile(_Path):
    """The path of a gate file. What is wrong with it is found where it is read."""

    name = "file"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        return Path(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return complete.gates(ctx, param, incomplete)


BUNDLE = _Bundle()
GATE_FILE = _GateFile()


def gate_there(path: Path) -> Path:
    """The path of a gate file.

    Raises:
        GateFileError: nothing is there, naming the nearest gate.
    """
    import difflib

    from lkgate.errors import GateFileError

    try:
        there = path.exists()
    except OSError:  # too long for a name: reading it tells
        there = True
    beside = [str(one) for end in ("yaml", "yml") for one in path.parent.glob(f"*.{end}")]
    # `release` as well as `gates/relase.yaml`.
    known = {name: file for file in (*beside, *_gate_files()) for name in (Path(file).stem, file)}
    if there or not known:
        return path
    close = difflib.get_close_matches(str(path), list(known), n=1)
    raise GateFileError(
        "there is no such gate file",
        where=str(path),
        next_step=f"Did you mean `{known[close[0]]}`?"
        if close
        else f"There are: {', '.join(sorted(set(known.values())))}.",
    )


def from_here(path: Path) -> Path:
    """Relative to where this runs, if it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _gate_files() -> list[str]:
    """Of the settings, if they can be read."""
    from lkgate.errors import LkgateError

    try:
        return complete.gate_files()
    except LkgateError:
        return []
