"""Text that a call, a model or a file brought along, made harmless for where it is shown."""

from __future__ import annotations

import re

# What moves a terminal's cursor, ends a line or turns the reading direction.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """``text`` as one line of the same length that does nothing to a terminal."""
    return _CONTROL.sub(_instead, text)


def visible_lines(text: str) -> str:
    """The same for a text whose line ends are meant."""
    return "\n".join(map(visible, text.split("\n")))


def clipped(text: str, limit: int) -> str:
    """``text``, or as much of it as a line of ``limit`` characters holds."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _instead(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else "\ufffd"
