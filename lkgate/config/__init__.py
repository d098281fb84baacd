"""The project's settings: flag, then ``LKGATE_*``, then file, then default."""

from lkgate.config.judges import JudgeEntry
from lkgate.config.load import load_config
from lkgate.config.prices import read_prices
from lkgate.config.settings import (
    BuildEntry,
    Config,
    ModelsMode,
    OnMiss,
    ReplaySettings,
    ToolPolicy,
    Tools,
)

__all__ = [
    "BuildEntry",
    "Config",
    "JudgeEntry",
    "ModelsMode",
    "OnMiss",
    "ReplaySettings",
    "ToolPolicy",
    "Tools",
    "load_config",
    "read_prices",
]
