"""What ``--against`` and ``--build`` mean, what identifies a build, and what it runs with."""

from lkgate.builds.environment import environment, secrets_of
from lkgate.builds.identity import identify
from lkgate.builds.layers import lacking_layers
from lkgate.builds.resolve import resolve

__all__ = ["environment", "identify", "lacking_layers", "resolve", "secrets_of"]
