"""What a receiver's statistics say about the media of one track."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from livekit import rtc

Cause = Literal["loss", "late", "discontinuous_transmission", "nothing_came"]
"""Why a receiver makes up audio. After a comfort noise packet it goes on making that, whether more
packets come (of Opus, every 400 ms) or nothing comes at all."""

# Opus looks this far ahead: libopus's 312 samples at 48 kHz. WebRTC does not make up for it.
_OPUS_US = 6_500
# WebRTC takes decoded audio out in pieces of 10 ms, and counts Opus at 48 kHz.
_PULL_US = 10_000
_RATE_HZ = 48_000
# A smaller hole is the counters' own unevenness.
_LEAST_US = 60_000


@dataclass(frozen=True, slots=True)
class Media:
    """WebRTC's statistics of one received audio track, counted since its subscription.

    Attributes:
        packets_received, packets_lost: RTP packets; one that came after all is lost no more.
        jitter_us: of the packets' arrivals, as in RFC 3550.
        samples: taken out of the jitter buffer, at 48 kHz.
        emitted: of them, those that were received; the rest is comfort noise and concealment.
        concealed: of them, those made up because a packet was missing.
        buffered_s: for how long the emitted samples were in the jitter buffer, added up.
        round_trip_us: between here and the server; ``None`` until it was measured.
        opus: whether the codec is Opus.
    """

    packets_received: int
    packets_lost: int
    jitter_us: int
    samples: int
    emitted: int
    concealed: int
    buffered_s: float
    round_trip_us: int | None
    opus: bool

    @property
    def path_us(self) -> int:
        """What sound waits besides the jitter buffer: in its packet, until that is full, and in
        the codec. The packet's length is that of all received so far, to 10 ms."""
        pulls = 1
        if self.packets_received:
            mean_us = self.emitted * 1_000_000 / _RATE_HZ / self.packets_received
            pulls = max(1, round(mean_us / _PULL_US))
        return (pulls - 1) * _PULL_US + (_OPUS_US if self.opus else 0)


def media_of(stats: Iterable[rtc.stats.RtcStats]) -> Media | None:
    """The statistics of ``Track.get_stats``; ``None`` if there is no received audio in them."""
    inbound: rtc.stats.RtcStats.InboundRtp | None = None
    round_trip_us: int | None = None
    opus = False
    for each in stats:
        which = each.WhichOneof("stats")
        if which == "inbound_rtp":
            inbound = each.inbound_rtp
        elif which == "candidate_pair" and each.candidate_pair.candidate_pair.nominated:
            pair = each.candidate_pair.candidate_pair
            if pair.responses_received:
                round_trip_us = round(pair.current_round_trip_time * 1_000_000)
        elif which == "codec":
            opus = opus or each.codec.codec.mime_type.lower() == "audio/opus"
    if inbound is None:
        return None
    return Media(
        packets_received=inbound.received.packets_received,
        packets_lost=inbound.received.packets_lost,
        jitter_us=round(inbound.received.jitter * 1_000_000),
        samples=inbound.inbound.total_samples_received,
        emitted=inbound.inbound.jitter_buffer_emitted_count,
        concealed=inbound.inbound.concealed_samples,
        buffered_s=inbound.inbound.jitter_buffer_delay,
        round_trip_us=round_trip_us,
        opus=opus,
    )


NOTHING = Media(0, 0, 0, 0, 0, 0, 0.0, None, False)
"""Before anything came."""


def buffer_delay_us(before: Media, after: Media) -> int | None:
    """How long the samples emitted in between had been in the jitter buffer, on average; ``None``
    if there were none."""
    emitted = after.emitted - before.emitted
    if emitted <= 0:
        return None
    return round((after.buffered_s - before.buffered_s) / emitted * 1_000_000)


def hole(before: Media, after: Media) -> tuple[Cause, int] | None:
    """Why audio in between was not what was sent, and for how many microseconds; ``None`` if all
    was received. Concealment is ``loss`` where packets were lost, else they were ``late``."""
    concealed = after.concealed - before.concealed
    if concealed > 0:
        lost = after.packets_lost > before.packets_lost
        return ("loss" if lost else "late"), _us(concealed)
    comfort_us = _us(after.samples - before.samples - (after.emitted - before.emitted))
    if comfort_us < _LEAST_US:
        return None
    came = after.packets_received > before.packets_received
    return ("discontinuous_transmission" if came else "nothing_came"), comfort_us


def _us(samples: int) -> int:
    return samples * 1_000_000 // _RATE_HZ
