"""What was heard belongs to what was said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lkgate.cassette import stt_schedule
from lkgate.cassette.schedule import utterance_at
from lkgate.model.bundle import Span
from lkgate.model.event import Json
from lkgate.model.plan import Anchor, CallerPlan, PlannedUtterance


def plan(*spans: tuple[int, int]) -> CallerPlan:
    said = tuple(
        PlannedUtterance(index, Span(*span), Anchor("start", 0, 0))
        for index, span in enumerate(spans)
    )
    return CallerPlan(16_000, 0, said, 0, "anchored", 0, "caller", {})


def events(*times: int) -> list[dict[str, Json]]:
    return [{"t_us": t_us, "type": "interim_transcript"} for t_us in times]


def test_events_follow_the_utterance_before_them() -> None:
    found = stt_schedule(events(50, 100, 250, 400), plan((100, 200), (300, 350)))
    assert [(one.utterance, one.offset_us) for one in found] == [
        (None, 50),
        (0, 0),
        (0, 150),
        (1, 100),
    ]


def test_without_a_plan_they_follow_the_start() -> None:
    assert [(one.utterance, one.offset_us) for one in stt_schedule(events(5), None)] == [(None, 5)]


times = st.lists(st.integers(0, 1_000), max_size=8)


@given(times, st.lists(st.integers(0, 1_000), max_size=5, unique=True))
def test_a_caller_who_moves_nothing_is_heard_as_before(at: list[int], starts: list[int]) -> None:
    said = plan(*((start, start + 1) for start in sorted(starts)))
    for one in stt_schedule(events(*at), said):
        begun = 0 if one.utterance is None else said.utterances[one.utterance].span.start_us
        assert begun + one.offset_us == one.recorded_us == one.event["t_us"]


def test_a_piece_of_audio_belongs_to_what_fills_it_most() -> None:
    spans = [(0, 100, 200), (1, 300, 500)]
    assert utterance_at(90, 210, spans) == 0
    assert utterance_at(150, 450, spans) == 1
    assert utterance_at(210, 290, spans) == 0, "just after it"
    assert utterance_at(0, 50, spans) is None
    assert utterance_at(0, 50, []) is None
