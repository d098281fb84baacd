"""Who said what when, from a file that a person or a program wrote.

JSON Lines, in any order: ``{"speaker": "caller", "start": 1.25, "end": 3.0, "text": "Hello."}``.
``speaker`` is ``caller`` (or ``user``) or ``agent`` (or ``assistant``); times are seconds from the
beginning of the audio. Other fields are ignored, and so are empty lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle.canonical import parse
from lkgate.bundle.fields import Fields
from lkgate.errors import BundleError
from lkgate.model.bundle import Span
from lkgate.model.turn import TurnRole

_SPEAKERS: dict[str, TurnRole] = {
    "caller": "caller",
    "user": "caller",
    "agent": "agent",
    "assistant": "agent",
}
_FORMAT = 'A line is {"speaker": "caller", "start": 1.25, "end": 3.0, "text": "Hello."}.'


@dataclass(frozen=True, slots=True)
class Line:
    """What one side said, at ``span`` of the audio."""

    speaker: TurnRole
    span: Span
    text: str


def read_transcript(path: Path) -> tuple[Line, ...]:
    """The lines of a transcript by their end.

    Raises:
        BundleError: names the first line that is none; or if there is no line.
    """
    lines = []
    for number, text in enumerate(path.read_bytes().split(b"\n"), 1):
        if text.strip():
            lines.append(_line(text, f"{path}:{number}"))
    if not lines:
        raise BundleError("holds no line", where=str(path), next_step=_FORMAT)
    return tuple(sorted(lines, key=lambda line: (line.span.end_us, line.span.start_us)))


def _line(text: bytes, where: str) -> Line:
    try:
        value = parse(text)
    except ValueError as error:
        raise BundleError(f"no JSON: {error}", where=where, next_step=_FORMAT) from None
    fields = Fields(value, where=where, next_step=_FORMAT)
    speaker = _SPEAKERS[fields.word("speaker", tuple(_SPEAKERS))]
    start, end = fields.number("start"), fields.number("end")
    if not 0 <= start <= end < 1e9:
        raise fields.wrong(f"start {start:g} and end {end:g} are no stretch of time")
    return Line(speaker, Span(round(start * 1e6), round(end * 1e6)), fields.text("text"))
