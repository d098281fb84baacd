"""The project's settings, as every command that needs them reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lkgate.config import Config


def settings() -> Config:
    """Those that hold here. What is odd about them is said on stderr.

    Raises:
        ConfigError: they are wrong.
    """
    from lkgate.config import load_config

    return load_config(
        Path.cwd(),
        environ=os.environ,
        warn=lambda text: click.echo(f"warning: {text}", err=True),
    )
