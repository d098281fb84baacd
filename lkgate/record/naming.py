"""What a room's bundle is called. Pure."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 80


def bundle_name(room: str, stamp: str) -> str:
    """The room's name and a time, as one name that may stand in a path.

    What is no ASCII letter or digit and none of ``._-`` becomes ``-``. Such a name, and one that
    is cut at 80 characters, ends in 6 digits of its SHA-256: two rooms never share one.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", room).lstrip(".-")[:_LONGEST]
    if plain != room:
        plain = f"{plain}-{hashlib.sha256(room.encode()).hexdigest()[:6]}".lstrip("-")
    return f"{plain}-{stamp}"
