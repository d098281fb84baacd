"""Names that people chose, in paths."""

from __future__ import annotations

import re


def file_name(name: str) -> str:
    """``name`` as one that may stand in a path: no separators, and not hidden."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip(".") or "unnamed"
