"""What a user can be told: what is wrong, where, and what to do next.

Every expected failure is an :class:`LkgateError`. Only ``lkgate.cli`` turns one into an exit
code; anything else that reaches the top is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence


class LkgateError(Exception):
    """Bad input or a world that does not answer, never a bug in lkgate.

    Args:
        what: one sentence that says what is wrong.
        where: a path, ``path:line:column``, a call or a host; ``None`` if there is no place.
        next_step: what the user can do about it; ``None`` if there is nothing to do.

    Attributes:
        also: what else of the kind is wrong, so that one look at it all is enough.
    """

    def __init__(self, what: str, *, where: str | None = None, next_step: str | None = None):
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step
        self.also: Sequence[LkgateError] = ()

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  {self.next_step}" if self.next_step else head


class ConfigError(LkgateError):
    """The project's settings or a command's arguments are wrong (exit 2)."""


class BundleError(LkgateError):
    """A bundle, or a file to be made one, is truncated, altered, unsafe or too new (exit 2)."""


class GateFileError(LkgateError):
    """A gate file does not say something that can be judged (exit 2)."""


class BuildError(LkgateError):
    """A build cannot be found, imported or started (exit 4)."""


class ReplayError(LkgateError):
    """A call could not be replayed to its end (exit 4)."""


class RecordError(LkgateError):
    """A live room could not be recorded (exit 4)."""


class GithubError(LkgateError):
    """GitHub could not be asked (exit 4)."""


class ExportError(LkgateError):
    """What was to be handed to another program was not taken (exit 4)."""
