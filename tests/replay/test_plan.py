"""Plans made from recordings, and the law that a plan replays its own recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate.errors import ReplayError
from lkgate.model.bundle import Bundle, Manifest, Role, Span, Track
from lkgate.model.event import Event, Json
from lkgate.model.plan import CallerPlan, Pacing
from lkgate.replay.plan import caller_track, plan_from
from tests.caller.fakes import RATE, FakeAgent, perform

Edges = list[tuple[int, int]]

EAR_US = 270_000  # frame, silence that an ear needs to hear, and the step after it


def track(role: Role, spans: Edges, end_ms: int, *, path: str | None = "audio.flac") -> Track:
    return Track(
        id=role,
        role=role,
        participant=f"the-{role}",
        sid=None,
        sample_rate_hz=RATE,
        channels=1,
        offset_us=0,
        samples=end_ms * RATE // 1000,
        pcm_sha256="",
        path=path,
        absent_reason=None,
        speech=tuple(Span(start * 1000, end * 1000) for start, end in spans),
        speech_method="by hand",
    )


def recording(
    caller: Edges,
    agent: Edges,
    *,
    end_ms: int,
    left_ms: int | None = None,
    states: Sequence[tuple[int, str]] = (),
) -> Bundle:
    manifest = Manifest(
        format=1,
        min_reader=1,
        lkgate="0",
        id="call",
        source="record",
        recording_digest=None,
        room="room",
        started_at_unix_us=None,
        duration_us=end_ms * 1000,
        build=None,
        session={},
        tracks=(track("caller", caller, end_ms), track("agent", agent, end_ms)),
        cassette="none",
        absent={},
        files=(),
        digest="",
    )
    who = {"identity": "the-caller"}
    events = [Event(0, 0, "participant_connected", {**who, "attributes": {"sip.callID": "7"}})]
    for t_us, state in states:
        data: dict[str, Json] = {"old_state": "", "new_state": state}
        events.append(Event(t_us, len(events), "agent_state_changed", data))
    if left_ms is not None:
        events.append(Event(left_ms * 1000, 1, "participant_disconnected", dict(who)))
    return Bundle(manifest, tuple(events), None)


def plan_of(bundle: Bundle, pacing: Pacing = "anchored") -> CallerPlan:
    return plan_from(bundle, np.zeros(caller_track(bundle).samples, np.int16), pacing=pacing)


def anchors(caller: Edges, agent: Edges) -> list[tuple[str, int, int]]:
    plan = plan_of(recording(caller, agent, end_ms=60_000))
    found = [said.anchor for said in plan.utterances]
    return [(one.kind, one.delay_us // 1000, one.agent_segments) for one in found]


def test_an_answer_is_anchored_to_the_last_of_the_agents_stretches() -> None:
    assert anchors([(5000, 6000)], [(1000, 2000), (2400, 4200)]) == [("after_agent", 800, 2)]


def test_a_barge_in_is_anchored_to_the_beginning_of_the_stretch() -> None:
    assert anchors([(5000, 6000)], [(1000, 2000), (3800, 5600)]) == [("into_agent", 1200, 2)]


def test_a_caller_who_speaks_first_is_anchored_to_the_room() -> None:
    assert anchors([(900, 1500)], [(2000, 3000)]) == [("start", 900, 0)]


def test_a_pause_for_breath_is_anchored_to_the_caller() -> None:
    assert anchors([(900, 1500), (1900, 2500)], [])[1] == ("after_caller", 400, 0)


def test_both_beginning_at_once_is_no_barge_in() -> None:
    caller = [(3000, 3500), (4200, 5000)]
    assert anchors(caller, [(1000, 2000), (4050, 4600)])[1] == ("after_caller", 700, 0)


def test_a_slight_overlap_at_the_end_is_an_answer() -> None:
    assert anchors([(1950, 3000)], [(1000, 2000)]) == [("after_agent", 0, 1)]


def test_the_end_of_what_was_spoken_into_can_be_waited_for() -> None:
    caller = [(3000, 3500), (6500, 7000)]
    assert anchors(caller, [(1000, 6000)])[1] == ("after_agent", 500, 0)


def test_a_stop_and_go_on_is_one_sentence() -> None:
    caller = [(3000, 3500), (4300, 5000)]
    assert anchors(caller, [(1000, 4000)])[1] == ("after_caller", 800, 0)


def test_a_caller_who_speaks_while_the_agent_thinks_does_so_again() -> None:
    states = [(1_000_000, "speaking"), (2_000_000, "thinking"), (6_000_000, "speaking")]
    bundle = recording([(3000, 4000)], [(1000, 2000), (6000, 7000)], end_ms=8000, states=states)
    plan = plan_of(bundle)
    assert plan.utterances[0].anchor.while_busy
    fake = FakeAgent([Span(1_000_000, 2_000_000), Span(6_000_000, 7_000_000)], states)
    assert perform(plan, fake)[0].placed(0) == 3_000_000


def test_a_barge_in_is_into_the_whole_reply_and_not_into_a_pause_of_it() -> None:
    states = [(1_000_000, "speaking"), (6_000_000, "listening")]
    bundle = recording([(4000, 5000)], [(1000, 6000)], end_ms=8000, states=states)
    plan = plan_of(bundle)
    pausing = FakeAgent([Span(1_000_000, 2_000_000), Span(3_000_000, 7_000_000)], states)
    assert perform(plan, pausing)[0].placed(0) == 4_000_000


def test_a_caller_who_hung_up_leaves_as_soon_again() -> None:
    bundle = recording([(3000, 4000)], [(1000, 2000), (5000, 6000)], end_ms=30_000, left_ms=6900)
    plan = plan_of(bundle)
    assert (plan.hangup_after_us, plan.closing_segments) == (900_000, 1)
    assert (plan.identity, plan.attributes) == ("the-caller", {"sip.callID": "7"})


def test_an_agent_that_ended_the_call_gets_the_time_to_do_so_again() -> None:
    bundle = recording([(3000, 4000)], [(1000, 2000), (5000, 6000)], end_ms=6500)
    assert plan_of(bundle).hangup_after_us == 2_500_000


def test_absolute_pacing_keeps_the_clock() -> None:
    bundle = recording([(3000, 4000), (8000, 9000)], [(1000, 2000), (5000, 6000)], end_ms=10_000)
    plan = plan_of(bundle, "absolute")
    assert [said.anchor.kind for said in plan.utterances] == ["start", "start"]
    performance, _, _ = perform(plan, FakeAgent([Span(1_000_000, 20_000_000)]))
    assert [performance.placed(k) for k in (0, 1, 2)] == [3_000_000, 8_000_000, None]


def test_patience_is_longer_than_what_the_recorded_caller_sat_through() -> None:
    bundle = recording([(1000, 2000), (40_000, 41_000)], [(32_000, 39_000)], end_ms=42_000)
    assert plan_of(bundle).patience_us == 40_000_000


def test_without_the_callers_audio_there_is_nothing_to_replay() -> None:
    bundle = recording([], [], end_ms=1000)
    manifest = bundle.manifest
    silent = (track("caller", [], 1000, path=None),)
    with pytest.raises(ReplayError) as refused:
        caller_track(
            Bundle(
                Manifest(
                    **{f: getattr(manifest, f) for f in manifest.__slots__} | {"tracks": silent}
                ),
                (),
                None,
            )
        )
    assert str(refused.value) == (
        "call: the recording holds no audio of the caller, so there is nothing to replay\n"
        "  Record the call again; a baseline alone cannot be replayed."
    )


def test_audio_of_another_track_is_refused() -> None:
    with pytest.raises(ReplayError, match="has 3 samples, its track says 8000"):
        plan_from(recording([], [], end_ms=1000), np.zeros(3, np.int16))


@st.composite
def calls(draw: st.DrawFn) -> tuple[Edges, Edges]:
    """Two voices, each with pauses of 0.3 s or more, over one another as they like."""

    def voice(first: int) -> Edges:
        at, spans = first, []
        for pause, length in draw(
            st.lists(st.tuples(st.integers(300, 5000), st.integers(80, 4000)), max_size=7)
        ):
            spans.append((at + pause, at + pause + length))
            at = at + pause + length
        return spans

    return voice(draw(st.integers(0, 4000))), voice(0)


@settings(max_examples=60)
@given(calls())
def test_a_plan_played_into_the_recorded_agent_is_the_recording(call: tuple[Edges, Edges]) -> None:
    caller, agent = call
    states = [
        state
        for start, end in agent
        for state in ((start * 1000, "speaking"), (end * 1000 + 20_000, "listening"))
    ]
    plan = plan_of(recording(caller, agent, end_ms=60_000, states=states))
    fake = FakeAgent([Span(start * 1000, end * 1000) for start, end in agent], states)
    performance, notes, _ = perform(plan, fake)
    for said in plan.utterances:
        at_us = performance.placed(said.index)
        assert at_us is not None, notes.items
        late_us = at_us - said.span.start_us
        if said.anchor.kind == "after_agent" and said.anchor.delay_us < EAR_US:
            # No caller reacts faster than the ear knows, and what follows may move with it.
            assert late_us <= 50_000 + EAR_US - said.anchor.delay_us, (said, notes.items)
            break
        assert abs(late_us) <= 50_000, (said, notes.items)
