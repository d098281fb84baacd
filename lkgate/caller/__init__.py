"""The caller of a plan, played into a room: a real one or the virtual one.

Runs inside the candidate's interpreter: standard library, numpy and livekit alone. livekit is
imported when the player is asked for, so that the parent can use the rest without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lkgate.caller.codec import decode_plan, encode_plan

if TYPE_CHECKING:
    from lkgate.caller.player import CallerPlayer

__all__ = ["CallerPlayer", "decode_plan", "encode_plan"]


def __getattr__(name: str) -> object:
    if name == "CallerPlayer":
        from lkgate.caller.player import CallerPlayer

        return CallerPlayer
    raise AttributeError(name)
