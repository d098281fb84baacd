"""Text that a call, a model or a file brought along, made harmless for where it is shown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkgate.bundle.canonical import JsonLike

# What shows nothing and spells nothing in any script: controls, marks that turn the reading
# direction, characters of no width, tags, halves of a pair.
_HIDDEN = (
    "\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_CONTROL = re.compile(rf"[{_HIDDEN}\r\n]")
_ESCAPED = re.compile(f"[{_HIDDEN}]")

# Commands in a job's log. GitHub's runner takes "::" behind a line's white space, and "##["
# anywhere; Azure's takes "##vso[". GitHub's compares as .NET's cultures do, to which characters of
# no width are nothing: such a one between the two breaks no command, so what breaks it is seen.
_NOTHING = rf"{_HIDDEN}\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\ufffd\U000e0100-\U000e01ef"
_BLANK = rf"{_NOTHING} \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_FIRST = re.compile(rf"(?<![^\r\n])([{_BLANK}]*):(?=[{_NOTHING}]*:)")
_ANYWHERE = re.compile(rf"#(?=[{_NOTHING}]*#[\w.{_NOTHING}]*\[)")


def visible(text: str) -> str:
    """``text`` as one line of the same length that does nothing to a terminal or a job's log."""
    return without_commands(_CONTROL.sub(_instead, text))


def visible_lines(text: str) -> str:
    """The same for a text whose line ends are meant."""
    return "\n".join(map(visible, text.split("\n")))


def without_commands(text: str) -> str:
    """``text`` with look-alikes where a line of it would command what reads a job's log."""
    return _ANYWHERE.sub("\u266f", _FIRST.sub("\\1\u2236", text))


def json_text(value: JsonLike, *, indent: int | None = None) -> str:
    """``value`` as JSON: the same value, but whatever is not inert in its text is an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _ANYWHERE.sub(r"\\u0023", _ESCAPED.sub(lambda at: json.dumps(at[0])[1:-1], text))


def clipped(text: str, limit: int) -> str:
    """``text``, or as much of it as a line of ``limit`` characters holds."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _instead(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else "\ufffd"
