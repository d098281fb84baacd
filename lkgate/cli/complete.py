"""What can stand in a word of the command line, for the shell's completion.

A shell that completes must never see an error: where the settings are wrong, nothing is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from lkgate.config import Config

_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
# bash breaks KIND=PATH into three words, of which click takes the last for an argument.
_BROKEN = "="


def settled() -> Config:
    """The settings that hold here; what is odd about them is not said.

    Raises:
        ConfigError: they are wrong.
    """
    import os

    from lkgate.config import load_config

    return load_config(Path.cwd(), environ=os.environ)


def gate_files() -> list[str]:
    """Those of the settings, as seen from here."""
    here = Path.cwd()
    paths = [path.resolve() for path in settled().gates]
    return [str(one.relative_to(here) if one.is_relative_to(here) else one) for one in paths]


def _recordings() -> Iterable[str]:
    from lkgate.replay.recordings import names_of_recordings

    return names_of_recordings(settled().recordings)


def _kinds() -> Iterable[str]:
    from lkgate.cli.reports import KINDS

    return [f"{kind}=" for kind in KINDS]


def _offered(names: Callable[[], Iterable[str]]) -> _Complete:
    """Names that begin as the word does; a file where there is none."""

    def complete(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
        from lkgate.errors import LkgateError

        given = ctx.params.get(param.name or "") or ()
        # Of an argument for one bundle, a path.
        taken = given if isinstance(given, tuple) else ()
        if _BROKEN in map(str, taken[-1:]):
            return [CompletionItem(begun, type="file")]
        try:
            found = [name for name in names() if name.startswith(begun) and name not in taken]
        except (LkgateError, OSError):
            found = []
        return [CompletionItem(name) for name in found] or [CompletionItem(begun, type="file")]

    return complete


# A program's path is a build too.
builds = _offered(lambda: settled().builds)
judges = _offered(lambda: settled().judges)
# Their names; a bundle's path does as well.
recordings = _offered(_recordings)
# Any other file may be one.
gates = _offered(gate_files)


def reports(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """KIND=, then the path behind it: no shell sees a path there by itself, but for bash."""
    kind, given, path = begun.partition("=")
    if not given:
        return _offered(_kinds)(ctx, param, begun)
    place, slash, name = path.rpartition("/")
    try:
        beside = sorted(Path(place + slash).iterdir())
    except OSError:
        return []
    return [
        CompletionItem(f"{kind}={place}{slash}{one.name}{'/' if one.is_dir() else ''}")
        for one in beside
        if one.name.startswith(name) and one.name.startswith(".") == name.startswith(".")
    ]
