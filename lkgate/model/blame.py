"""Which layer of a voice agent a failed rule points at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FaultLayer = Literal[
    "media",
    "dispatch",
    "stt",
    "turn_taking",
    "tool_schema",
    "llm",
    "tool",
    "handoff",
    "tts",
]


LAYER_NAMES: Mapping[FaultLayer, str] = {
    "media": "media",
    "dispatch": "dispatch",
    "stt": "speech recognition",
    "turn_taking": "turn detection",
    "tool_schema": "tool schema",
    "llm": "model",
    "tool": "tool",
    "handoff": "handoff",
    "tts": "speech output",
}
"""As a report names them."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One layer that may be at fault.

    Attributes:
        calls: names of the calls in which it is what changed first.
        call, t_us: the place of one such change: session time in the candidate.
        turn: of that call, ``None`` for the whole call.
        detail: what changed there, in words.
    """

    layer: FaultLayer
    calls: tuple[str, ...]
    call: str
    t_us: int
    turn: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Blame:
    """The answer to "which layer?" for one failed rule.

    Attributes:
        layer: the one that most of the calls point at; ``None``: it is not clear.
        suspects: every layer that changed first in some call, most calls first.
        calls: calls in which the rule is broken.
        reason: one line in words: why this layer, or why none.
    """

    layer: FaultLayer | None
    suspects: tuple[Suspect, ...]
    calls: int
    reason: str
