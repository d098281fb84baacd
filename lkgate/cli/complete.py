"""What can stand in a word of the command line, for the shell's completion.

A shell that completes must never see an error: where the settings are wrong, nothing is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from lkgate.config import Config

_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
_FILE = CompletionItem("", type="file")


def _offered(names: Callable[[], Iterable[str]]) -> _Complete:
    """Names that begin as the word does; a file where there is none."""

    @wraps(names)
    def complete(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
        from lkgate.errors import LkgateError

        given = ctx.params.get(param.name or "") or ()
        taken = given if isinstance(given, tuple) else ()
        try:
            found = [name for name in names() if name.startswith(begun) and name not in taken]
        except (LkgateError, OSError):
            found = []
        return [CompletionItem(name) for name in found] or [_FILE]

    return complete


@_offered
def builds() -> Iterable[str]:
    """Those of the settings; a program's path is one too."""
    return _config().builds


@_offered
def recordings() -> Iterable[str]:
    """Their names; a bundle's path does as well."""
    from lkgate.replay.recordings import names_of_recordings

    return names_of_recordings(_config().recordings)


@_offered
def gates() -> Iterable[str]:
    """Those of the settings, as seen from here; any other file may be one."""
    from pathlib import Path

    here = Path.cwd()
    paths = [path.resolve() for path in _config().gates]
    return [str(one.relative_to(here) if one.is_relative_to(here) else one) for one in paths]


def _config() -> Config:
    import os
    from pathlib import Path

    from lkgate.config import load_config

    return load_config(Path.cwd(), environ=os.environ)
