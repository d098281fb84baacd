"""Calls that something else recorded, as bundles."""

from __future__ import annotations

from lkgate.ingest.roles import CHANNELS, Channel
from lkgate.ingest.usecase import ImportOptions, import_call

__all__ = ["CHANNELS", "Channel", "ImportOptions", "import_call"]
