"""Who accepts, when and why: what stands in a baseline's manifest, a line each."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lkgate.model.event import Json

# Who commits, as git itself looks for it; then whose the machine's account is.
_AUTHOR = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME")
_ACCOUNT = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME", "USERNAME")
_LIMIT_S = 10


@dataclass(frozen=True, slots=True)
class Signature:
    """Of one acceptance.

    Attributes:
        by: a name, ``None`` if nothing tells one.
        on: the day.
        reason: in the words of who accepts, ``None`` if they gave none.
    """

    by: str | None
    on: date
    reason: str | None

    def as_json(self) -> dict[str, Json]:
        """Of ``Manifest.accepted``; the session's digest does not cover it."""
        return {"by": self.by, "on": self.on.isoformat(), "reason": self.reason}


def sign(
    directory: Path, environ: Mapping[str, str], *, today: date, reason: str | None
) -> Signature:
    """The signature of whoever runs this.

    Args:
        directory: whose git settings count.
    """
    by = _first(environ, _AUTHOR) or _git_name(directory, environ) or _first(environ, _ACCOUNT)
    return Signature(by, today, reason.strip() or None if reason is not None else None)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), None)


def _git_name(directory: Path, environ: Mapping[str, str]) -> str | None:
    git = shutil.which("git", path=environ.get("PATH"))
    if git is None:
        return None
    command = [git, "-C", str(directory), "config", "--get", "user.name"]
    try:
        done = subprocess.run(
            command, env=dict(environ), capture_output=True, text=True, timeout=_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None  # a name is a help to readers, not a condition
    return done.stdout.strip() or None
