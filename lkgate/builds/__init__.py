"""What ``--against`` and ``--build`` mean, what identifies a build, and what it runs with."""

from lkgate.builds.environment import environment, secrets_of
from lkgate.builds.identity import identify
from lkgate.builds.layers import lacking_layers
from lkgate.builds.resolve import resolve
from lkgate.builds.versions import require_supported, unsupported

__all__ = [
    "environment",
    "identify",
    "lacking_layers",
    "require_supported",
    "resolve",
    "secrets_of",
    "unsupported",
]
