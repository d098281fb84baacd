"""Where this lkgate was installed from, and so where a workflow can get it from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit, urlunsplit

import lkgate
from lkgate.model.event import Json

_RELEASE = f"lkgate=={lkgate.__version__}"


@dataclass(frozen=True, slots=True)
class Origin:
    """What gives another machine the lkgate that runs here.

    Attributes:
        requirement: for pip.
        there: whether that can be got elsewhere; of what came from a directory, only once this
            version is published.
    """

    requirement: str = _RELEASE
    there: bool = True


def installed() -> Origin:
    """Of the lkgate that runs here. One that runs from its sources came from a directory."""
    try:
        return origin_of(distribution("lkgate").read_text("direct_url.json"))
    except PackageNotFoundError:
        return Origin(there=False)


def origin_of(direct_url: str | None) -> Origin:
    """What an installer noted, which is nothing if it was a package index that it got it from.

    Args:
        direct_url: https://packaging.python.org/en/latest/specifications/direct-url/
    """
    if direct_url is None:
        return Origin()
    told = json.loads(direct_url)
    url = _public(_text(told, "url"))
    if url is None:
        return Origin(there=False)
    vcs, archive = told.get("vcs_info"), told.get("archive_info")
    if isinstance(vcs, dict):
        url = f"{_text(vcs, 'vcs')}+{url}@{_text(vcs, 'commit_id')}"
    parts = []
    if isinstance(archive, dict) and (digest := _text(archive, "hash")):
        parts.append(digest)
    if below := _text(told, "subdirectory"):
        parts.append(f"subdirectory={below}")
    requirement = f"lkgate @ {url}{'#' if parts else ''}{'&'.join(parts)}"
    # As it stands in a workflow, whose expressions and lines it must not make.
    safe = re.fullmatch(r"[ -~]+", requirement) and "${{" not in requirement
    return Origin(requirement) if safe else Origin(there=False)


def _public(url: str) -> str | None:
    """A URL without who asked; ``None`` of what is on this machine alone."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.hostname == "localhost":
        return None
    user, at, host = parts.netloc.rpartition("@")
    # Of SSH, everybody's user is `git`; any other word may be a password.
    return urlunsplit(parts._replace(netloc=f"{user}{at}{host}" if user == "git" else host))


def _text(table: Mapping[str, Json], name: str) -> str:
    found = table.get(name)
    return found if isinstance(found, str) else ""
