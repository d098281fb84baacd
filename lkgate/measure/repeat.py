"""Who has called before: the one thing that a call's own bundle cannot tell. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lkgate.measure import field
from lkgate.measure.sample import measured
from lkgate.measure.session import Session
from lkgate.model.bundle import Bundle
from lkgate.model.history import Before, History
from lkgate.model.measurement import Sample

# A caller who calls again within so long had not been helped.
WINDOW_US = 7 * 86_400_000_000
# The key of a cohort by which labels say who called.
CALLER = "caller"
_PHONE = "sip.phoneNumber"
_DAY_US, _HOUR_US, _MINUTE_US = 86_400_000_000, 3_600_000_000, 60_000_000


def histories(recordings: Mapping[str, Bundle]) -> dict[str, History]:
    """Of every recording of a set, by its name, the last call before of the same caller.

    A call without a caller id or without a date is no evidence, and no other call's past.
    """
    found: dict[str, History] = {}
    known: list[tuple[str, int, str]] = []
    for call, bundle in recordings.items():
        who, began_us = caller_of(bundle), bundle.manifest.started_at_unix_us
        if who is None:
            found[call] = History(None, "nothing tells who the caller is: no label, number or name")
        elif began_us is None:
            found[call] = History(None, "nobody knows when it was recorded")
        else:
            known.append((who, began_us, call))
    last: dict[str, tuple[int, str]] = {}
    for who, began_us, call in sorted(known):
        before = last.get(who)
        found[call] = History(None if before is None else Before(before[1], began_us - before[0]))
        last[who] = began_us, call
    return found


def caller_of(recording: Bundle) -> str | None:
    """Who called: what the labels say, else the number of the telephone, else the participant's
    identity as the room knew it; ``None`` if nothing tells.
    """
    labels = recording.labels
    if labels is not None and CALLER in labels.cohort:
        return labels.cohort[CALLER]
    names = {track.participant for track in recording.tracks("caller")}
    came = [
        event.data
        for event in recording.of_kind("participant_connected")
        if field.text(event.data, "identity") in names
    ]
    numbers = [field.text(field.mapping(data, "attributes"), _PHONE) for data in came]
    identities = [field.text(data, "identity") for data in came]
    return next((known for known in (*numbers, *identities) if known), None)


def repeat_call(session: Session) -> Iterator[Sample]:
    history = session.history
    assert history is not None  # the registry asks for this evidence
    before = history.before
    again = before is not None and before.ago_us <= WINDOW_US
    note = None
    if before is not None:
        note = f"the caller of {before.call} called again, {_ago(before.ago_us)} after it"
    yield measured(float(again), None, session.whole, note)


def _ago(us: int) -> str:
    for size, name in ((_DAY_US, "days"), (_HOUR_US, "hours"), (_MINUTE_US, "minutes")):
        if us >= size:
            return f"{us / size:.1f} {name}"
    return f"{us / 1e6:.0f} seconds"
