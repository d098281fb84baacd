"""The receiver's statistics of one track, asked for while its audio is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from lkgate.capture.fields import Fields
from lkgate.capture.gap import Gaps
from lkgate.capture.media import NOTHING, Media, buffer_delay_us, hole, media_of
from lkgate.capture.timeline import Timeline

# The jitter buffer finds its length in the first second or two, and again where it was disturbed:
# look at each frame then, rarely otherwise.
_EAGER_FRAMES = 30
_DISTURBED_FRAMES = 10
_DISTURBED_US = 10_000
_EVERY_FRAMES = 5
# What is made up before the jitter buffer is filled is the beginning, not late.
_SETTLING_FRAMES = 10
# Statistics take a millisecond; a connection that is being closed may never give them.
_PATIENCE_S = 0.2


class Monitor:
    """Knows with which delay audio comes, and notes ``lkgate.media_quality`` every few seconds.

    Args:
        track: received.
        about: which track this is: the first fields of every event.
        note: writes an event.
        gaps: is told what the receiver made up.
        every_us: how often to note.
        since_us: session time now.
    """

    def __init__(
        self,
        track: rtc.Track,
        *,
        about: Fields,
        note: Callable[[str, Fields], None],
        gaps: Gaps,
        every_us: int,
        since_us: int,
    ):
        self._track = track
        self._about = about
        self._note = note
        self._gaps = gaps
        self._every_us = every_us
        self._frames = 0
        self._eager = _EAGER_FRAMES
        self._at_us = since_us
        self._media = NOTHING
        self._answered = True
        self._noted_us = since_us
        self._noted = NOTHING
        self.delay_us: int | None = None
        """From when sound was captured until it was read here, without the way of its packets;
        ``None`` until anything was received."""

    async def look(self, now_us: int, timeline: Timeline, *, begins: bool = False) -> None:
        """A frame has come: ask for statistics if it is time to.

        Args:
            begins: whether sound begins in it after a pause.
        """
        self._frames += 1
        self._eager -= 1
        if self._eager < 0 and self._frames % _EVERY_FRAMES and not begins:
            return
        media = await self._ask()
        self._answered = media is not None
        if media is not None:
            buffer_us = buffer_delay_us(self._media, media)
            if buffer_us is not None:
                delay_us = buffer_us + media.path_us
                if self.delay_us is None or abs(delay_us - self.delay_us) > _DISTURBED_US:
                    self._eager = max(self._eager, _DISTURBED_FRAMES)
                self.delay_us = delay_us
            late_us = self.delay_us or 0
            missing = hole(self._media, media)
            if missing is not None and missing[0] == "late" and self._frames <= _SETTLING_FRAMES:
                missing = None
            self._gaps.window(max(0, self._at_us - late_us), now_us - late_us, missing)
            self._media, self._at_us = media, now_us
        if now_us - self._noted_us >= self._every_us:
            self._sample(now_us, timeline)

    def end(self, now_us: int, timeline: Timeline) -> None:
        """No more audio comes: note what was learned since the last time."""
        if self._media is not self._noted:
            self._sample(now_us, timeline)

    async def _ask(self) -> Media | None:
        try:
            stats = await asyncio.wait_for(self._track.get_stats(), _PATIENCE_S)
        except Exception:  # noqa: BLE001 - livekit raises just that; a sample without data says so
            return None
        return media_of(stats)

    def _sample(self, now_us: int, timeline: Timeline) -> None:
        new, old = self._media, self._noted
        known = self._answered
        self._note(
            "lkgate.media_quality",
            {
                **self._about,
                "interval_us": now_us - self._noted_us,
                "packets_received": new.packets_received - old.packets_received if known else None,
                "packets_lost": new.packets_lost - old.packets_lost if known else None,
                "jitter_us": new.jitter_us if known else None,
                "round_trip_us": new.round_trip_us if known else None,
                "samples": new.samples - old.samples if known else None,
                "concealed_samples": new.concealed - old.concealed if known else None,
                "jitter_buffer_delay_us": buffer_delay_us(old, new) if known else None,
                "delay_us": self.delay_us,
                "segment": timeline.segment,
                "lag_us": timeline.lag_us,
            },
        )
        self._noted, self._noted_us = new, now_us
