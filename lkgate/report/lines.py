"""Lines of a report on a terminal."""

from __future__ import annotations

from rich.text import Text

from lkgate.report.inert import visible


def inert(line: Text, limit: int) -> Text:
    """``line``, changed in place: cut to ``limit`` characters, and harmless whatever it says."""
    if len(line) > limit:
        line.right_crop(len(line) - limit + 1)
        line.append("…")
    line.plain = visible(line.plain)
    return line
