"""How the audio came through, by the receiver's own statistics."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure import field
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.model.bundle import Span
from lkgate.model.event import Event
from lkgate.model.measurement import Sample

# Silence that the sender chose: nothing is missing.
_OF_THE_SENDER = ("mute", "discontinuous_transmission")
_SILENT = "the receiver gave no statistics"


def media_gaps(session: Session) -> Iterator[Sample]:
    seen = [
        event
        for event in session.of_kind("lkgate.gap")
        if field.text(event.data, "cause") not in _OF_THE_SENDER
    ]
    for event in seen:
        start = field.number(event.data, "start_us") or event.t_us
        end = field.number(event.data, "end_us") or event.t_us
        note = f"{field.text(event.data, 'track')}: {field.text(event.data, 'cause')}"
        missing = field.number(event.data, "missing_us")
        length = end - start if missing is None else missing
        yield measured(max(0.0, length), None, Span(int(start), int(end)), note)
    if not seen:
        yield measured(0.0, None, session.whole)


def packet_loss(session: Session) -> Iterator[Sample]:
    for event in session.of_kind("lkgate.media_quality"):
        lost = field.number(event.data, "packets_lost")
        received = field.number(event.data, "packets_received")
        yield _share(event, lost, None if None in (lost, received) else lost + received)  # type: ignore[operator]


def concealed_audio(session: Session) -> Iterator[Sample]:
    for event in session.of_kind("lkgate.media_quality"):
        concealed = field.number(event.data, "concealed_samples")
        yield _share(event, concealed, field.number(event.data, "samples"))


def jitter(session: Session) -> Iterator[Sample]:
    return _each(session, "jitter_us")


def round_trip_time(session: Session) -> Iterator[Sample]:
    return _each(session, "round_trip_us")


def _each(session: Session, key: str) -> Iterator[Sample]:
    for event in session.of_kind("lkgate.media_quality"):
        value = field.number(event.data, key)
        if value is None:
            yield absent(None, _span(event), _SILENT)
        else:
            yield measured(value, None, _span(event), _whose(event))


def _share(event: Event, part: float | None, whole: float | None) -> Sample:
    if part is None or whole is None:
        return absent(None, _span(event), _SILENT)
    if whole <= 0:
        return inapplicable(None, _span(event), "nothing was sent meanwhile")
    # Late packets are counted as lost first and given back later: a share is never below 0.
    share = min(1.0, max(0.0, part / whole))
    return measured(share, None, _span(event), _whose(event), amount=share * whole, weight=whole)


def _span(event: Event) -> Span:
    since = field.number(event.data, "interval_us") or 0
    return Span(max(0, event.t_us - int(since)), event.t_us)


def _whose(event: Event) -> str | None:
    return field.text(event.data, "track") or field.text(event.data, "identity")
