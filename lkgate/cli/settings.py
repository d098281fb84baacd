"""The project's settings, as every command that needs them reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lkgate.cli.verbose import tell

if TYPE_CHECKING:
    from lkgate.config import Config
    from lkgate.model.event import Json


def settings(flags: Mapping[str, Json] | None = None) -> Config:
    """Those that hold here. What is odd about them is said on stderr.

    Args:
        flags: what the command line says, by a setting's dotted name.

    Raises:
        ConfigError: they are wrong.
    """
    from lkgate.config import load_config

    found = load_config(
        Path.cwd(),
        environ=os.environ,
        flags=flags,
        warn=lambda text: click.echo(f"warning: {text}", err=True),
    )
    tell(f"settings: {found.path or 'no file here or above'}")
    return found
