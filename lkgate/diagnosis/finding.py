"""One thing that lkgate needs, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lkgate.errors import LkgateError

Status = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands.

    Attributes:
        what: the thing.
        status: ``note`` is something that works less well or only some need; ``wrong`` does not
            work.
        said: in words.
        remedy: what to do about it, ``None`` where all is well.
    """

    what: str
    status: Status
    said: str
    remedy: str | None = None


def of_error(what: str, error: LkgateError, remedy: str) -> Finding:
    """What an error says, as a finding.

    Args:
        remedy: for an error that knows no next step.
    """
    where = f"{error.where}: " if error.where else ""
    return Finding(what, "wrong", f"{where}{error.what}", error.next_step or remedy)
