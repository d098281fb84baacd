"""What the builds differ in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from intake import phrases


@dataclass(frozen=True, slots=True)
class Settings:
    """One build's behaviour.

    Attributes:
        greeting: first words of a call.
        phrases: the agents' wording (intake.phrases).
        endpointing_s: silence after which the caller's turn is over.
        interruptible: whether the caller may talk over the agent.
        opening_hours: whether the instructions name the hours at which the clinic is open.
    """

    greeting: str = phrases.GREETING
    phrases: Mapping[str, str] = field(default_factory=lambda: phrases.PHRASES)
    endpointing_s: float = 0.8
    interruptible: bool = True
    opening_hours: bool = True
