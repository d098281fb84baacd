"""Which paths a bundle may hold."""

from __future__ import annotations

MAX_PATH = 240


def unsafe(path: str) -> str | None:
    """Why ``path`` may not stand in a bundle, ``None`` if it may.

    Paths are relative, with ``/`` between names, and mean the same on every system.
    """
    if not path or len(path) > MAX_PATH:
        return "empty or too long"
    if path.startswith("/"):
        return "absolute"
    if any(character in path for character in '\\:*?"<>|') or not path.isprintable():
        return "a character that some systems do not allow in names"
    for name in path.split("/"):
        if name in ("", ".", ".."):
            return "a name that is empty, '.' or '..'"
        if name[-1] in ". ":
            return "a name that ends with a dot or a space"
    return None
