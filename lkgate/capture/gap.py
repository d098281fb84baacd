"""Where a track holds something else than what was said, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from lkgate.capture.fields import Fields
from lkgate.capture.media import Cause

GapCause = Literal[
    "mute", "discontinuous_transmission", "loss", "reconnection", "unsubscribed", "late"
]

# From what is known at once to what is known later.
_MISSING: tuple[GapCause, ...] = ("late", "loss")
_ALL_MISSING: tuple[GapCause, ...] = (*_MISSING, "reconnection")
# A track's end is told within so much of its last packet.
_LAST_US = 600_000


class Gaps:
    """Notes an event ``lkgate.gap`` for each gap of one track, when it is over.

    Args:
        track_id: of the journal.
        note: writes an event.
        cut_off: whether the recorder had no connection at some time of a stretch.
    """

    def __init__(
        self,
        track_id: str,
        *,
        note: Callable[[str, Fields], None],
        cut_off: Callable[[int, int], bool],
    ):
        self._track_id = track_id
        self._note = note
        self._cut_off = cut_off
        self._muted_us: int | None = None
        self._unmuted_us = 0
        self._open: tuple[GapCause, int, int, int] | None = None

    def silence(self, cause: Literal["unsubscribed", "late"], start_us: int, end_us: int) -> None:
        """Silence was written in place of audio that did not come."""
        actual: GapCause = "reconnection" if self._cut_off(start_us, end_us) else cause
        self._write(actual, start_us, end_us)

    def mute(self, now_us: int) -> None:
        """Its owner muted the track."""
        if self._muted_us is None:
            self._close()
            self._muted_us = now_us

    def unmute(self, now_us: int) -> None:
        """The track is not muted any more."""
        if self._muted_us is not None:
            self._write("mute", self._muted_us, now_us)
            self._muted_us = None
            self._unmuted_us = now_us

    def window(
        self,
        start_us: int,
        end_us: int,
        hole: tuple[Cause, int] | None,
    ) -> None:
        """What the receiver made up from ``start_us`` to ``end_us``. Windows follow each other;
        those with one cause become one gap."""
        muted = self._muted_us is not None or start_us < self._unmuted_us
        if hole is None or muted:
            self._close()
            return
        cause = self._cause(hole[0], start_us, end_us)
        # Nothing comes for a while before it is known that it was lost, or the connection was.
        if self._open is not None and self._open[0] in _MISSING and cause in _ALL_MISSING:
            cause = max(cause, self._open[0], key=_ALL_MISSING.index)
            self._open = (cause, *self._open[1:])
        if self._open is not None and self._open[0] == cause:
            _, start_us, _, missing_us = self._open
            self._open = (cause, start_us, end_us, missing_us + hole[1])
        else:
            self._close()
            self._open = (cause, start_us, end_us, hole[1])

    def _cause(self, cause: Cause, start_us: int, end_us: int) -> GapCause:
        if cause != "discontinuous_transmission" and self._cut_off(start_us, end_us):
            return "reconnection"
        # A sender that chose silence sends a packet only now and then.
        return "discontinuous_transmission" if cause == "nothing_came" else cause

    def end(self, now_us: int) -> None:
        """No audio comes any more for now. What is made up after the last packet is the end, not
        a loss."""
        if self._open is not None and self._open[0] in _MISSING:
            _, start_us, end_us, _ = self._open
            if end_us - start_us <= _LAST_US:
                self._open = None
        self._close()
        self.unmute(now_us)

    def _close(self) -> None:
        if self._open is not None:
            cause, start_us, end_us, missing_us = self._open
            self._open = None
            self._write(cause, start_us, end_us, min(missing_us, end_us - start_us))

    def _write(
        self, cause: GapCause, start_us: int, end_us: int, missing_us: int | None = None
    ) -> None:
        data: Fields = {
            "track": self._track_id,
            "cause": cause,
            "start_us": start_us,
            "end_us": end_us,
        }
        if missing_us is not None:
            data["missing_us"] = missing_us
        self._note("lkgate.gap", data)
