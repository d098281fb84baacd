"""What differs between two replays, and where they became different conversations."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lkgate.diff.call import diff
from lkgate.diff.registry import COMPARISONS, compare_all
from lkgate.measure.session import session_of
from lkgate.measure.words import MOST
from lkgate.model.bundle import Bundle
from lkgate.model.difference import CallDifference, Difference
from lkgate.model.event import Json
from tests.measure.builders import V1, V2, Agent, Step, play, us, without

BOOK = Step(
    "Yes please.", "You are booked.", tools=(("book", {"day": "monday", "time": "9:00"}, "A1"),)
)
CALL = [
    Step("A visit please.", "Which day?", reply_lasts=4.0),
    Step("Monday at nine.", "Monday at nine, shall I book?", into=1.5),
    BOOK,
    Step("Bye.", "Goodbye."),
]


def compared(old: Bundle, new: Bundle) -> CallDifference:
    return diff(session_of(old, None), session_of(new, None))


def against_v1(build: Agent, steps: list[Step] | None = None) -> CallDifference:
    return compared(play(CALL, V1), play(CALL if steps is None else steps, build))


def told(found: CallDifference) -> list[tuple[str, str, str]]:
    return [(one.kind, one.layer, one.detail) for one in found.differences]


def earliest(found: CallDifference) -> Difference:
    return min(found.differences, key=lambda one: one.t_us)


def test_same_build() -> None:
    found = against_v1(V1)
    assert (found.aligned_by, found.differences) == ("plan", ())
    assert found.first_divergence is None


def test_other_words_and_times_are_no_divergence() -> None:
    found = against_v1(V2)
    assert told(found) == [
        ("agent_text", "llm", "other words, 25% the same"),
        ("latency", "turn_taking", "answered 200 ms sooner (end_of_turn)"),
        ("latency", "turn_taking", "answered 200 ms sooner (end_of_turn)"),
        ("latency", "turn_taking", "answered 200 ms sooner (end_of_turn)"),
        ("agent_text", "llm", "other words, 17% the same"),
        ("latency", "turn_taking", "answered 200 ms sooner (end_of_turn)"),
    ]
    assert found.first_divergence is None
    assert not any(pair.after_divergence for pair in found.pairs)


def test_latency_is_explained_by_its_part() -> None:
    for build, part, layer in (
        (Agent(end_of_turn=1.3), "end_of_turn", "turn_taking"),
        (Agent(llm=0.9), "llm", "llm"),
        (Agent(tts=0.8), "tts", "tts"),
    ):
        first = earliest(against_v1(build))
        assert (first.kind, first.part, first.layer) == ("latency", part, layer)
    # Nobody measured the parts: not clear, so transport and playout.
    outside = (without(play(CALL, b), "conversation_item_added") for b in (V1, Agent(llm=0.9)))
    first = earliest(compared(*outside))
    assert (first.part, first.layer) == ("unexplained", "media")


def test_wrong_argument_is_the_models_and_ends_comparability() -> None:
    found = against_v1(Agent(arguments={"book": {"time": "21:00"}}))
    divergence = found.first_divergence
    assert divergence is not None
    assert divergence.reason == 'book $.time: "9:00" became "21:00"'
    assert (divergence.layer, divergence.turns_lost) == ("llm", 2)
    one = divergence.difference
    assert (one.tool, one.path, one.old, one.new) == ("book", "$.time", "9:00", "21:00")
    assert (one.baseline_turn, one.candidate_turn) == (6, 6)
    assert [pair.after_divergence for pair in found.pairs] == [False] * 7 + [True] * 2


def test_misheard_words_before_a_wrong_argument_are_the_cause() -> None:
    heard = [*CALL[:2], replace(BOOK, heard="No please."), CALL[3]]
    divergence = against_v1(Agent(arguments={"book": {"time": "21:00"}}), heard).first_divergence
    assert divergence is not None
    assert (divergence.layer, divergence.cause.kind) == ("stt", "transcript")
    assert divergence.reason == (
        'heard "No please.", was "Yes please."; then book $.time: "9:00" became "21:00"'
    )


def test_ignored_interruption_is_a_change_but_no_divergence_by_itself() -> None:
    found = against_v1(Agent(interruptible=False))
    assert [(kind, layer) for kind, layer, _ in told(found)] == [
        ("agent_text", "llm"),  # the interrupted reply was cut short in the baseline
        ("interruption_ignored", "turn_taking"),
    ]
    assert found.first_divergence is None
    back = compared(play(CALL, Agent(interruptible=False)), play(CALL, V1))
    assert "interruption_yielded" in {one.kind for one in back.differences}


def test_ignored_interruption_causes_what_goes_wrong_after_it() -> None:
    build = Agent(interruptible=False, silent_at=frozenset({1}))
    divergence = against_v1(build).first_divergence
    assert divergence is not None
    assert (divergence.layer, divergence.cause.kind) == ("turn_taking", "interruption_ignored")
    assert divergence.difference.kind == "turn_missing"


def test_missing_and_extra_tools() -> None:
    plain = [*CALL[:2], replace(BOOK, tools=()), CALL[3]]
    missing = against_v1(V1, plain).first_divergence
    assert missing is not None
    assert (missing.reason, missing.layer) == ("book is no longer called", "llm")
    extra = compared(play(plain), play(CALL)).first_divergence
    assert extra is not None
    assert extra.reason == "book was not called before"


def test_order_of_tools() -> None:
    old = Step("Go.", "Done.", tools=(("a", {}, "x"), ("b", {}, "y")))
    new = replace(old, tools=old.tools[::-1])
    found = compared(play([old]), play([new]))
    assert [one.kind for one in found.differences] == ["tool_order"]
    assert found.first_divergence is not None


def test_other_result_of_the_same_call_is_the_tools() -> None:
    other = [*CALL[:2], replace(BOOK, tools=(("book", BOOK.tools[0][1], "full"),)), CALL[3]]
    found = against_v1(V1, other)
    assert told(found) == [("tool_result", "tool", 'book gave "full", was "A1"')]
    assert found.first_divergence is None


def test_handoff() -> None:
    old, new = ([Step("I am ill.", "One moment.", handoff=to)] for to in ("nurse", "doctor"))
    divergence = compared(play(old), play(new)).first_divergence
    assert divergence is not None
    assert divergence.reason == "handed off to doctor, was nurse"


def test_missing_answer() -> None:
    found = against_v1(Agent(silent_at=frozenset({2})))
    divergence = found.first_divergence
    assert divergence is not None
    assert divergence.difference.kind == "turn_missing"
    assert divergence.reason == 'the agent\'s turn ("You are booked.") is missing'
    assert divergence.difference.baseline_turn == 6
    assert divergence.difference.candidate_turn is None


def test_tools_of_a_turn_without_a_counterpart() -> None:
    def tools(old: Agent, new: Agent) -> list[tuple[float | None, str | None]]:
        before, after = (session_of(play(CALL, build), None) for build in (old, new))
        found = diff(before, after)
        assert found.first_divergence is not None
        assert found.first_divergence.difference.kind in ("turn_missing", "turn_extra")
        chosen = compare_all(before, after, found)["tool_selection_changes"]
        return [(sample.value, sample.note) for sample in chosen.samples]

    silent = Agent(silent_at=frozenset({2}))
    assert tools(V1, silent) == [(1, "book is no longer called")]
    assert tools(silent, V1) == [(1, "book was not called before")]


def test_words_without_an_end_differ_all_the_same() -> None:
    old, new = ([Step("Go.", word * (MOST + 1))] for word in ("a ", "b "))
    assert told(compared(play(old), play(new))) == [
        ("agent_text", "llm", "other words, too many to say how many are the same")
    ]


def test_speech_of_another_length() -> None:
    slow = [replace(step, reply_lasts=step.reply_lasts * 2) for step in CALL]
    found = against_v1(V1, slow)
    assert ("speech_length", "tts", "the same words last 6.0 s, were 3.0 s") in told(found)
    assert found.first_divergence is None


def test_comparisons() -> None:
    def values(old: Agent, new: Agent) -> dict[str, tuple[float | None, int]]:
        before, after = (session_of(play(CALL, build), None) for build in (old, new))
        found = compare_all(before, after, diff(before, after))
        assert set(found) == set(COMPARISONS)
        return {name: (m.value, m.n) for name, m in found.items()}

    assert values(V1, V1) == {
        "divergence": (0, 1),
        "diverged_turns": (0, 1),
        "tool_selection_changes": (0, 1),
        "tool_argument_changes": (0, 1),
        "tool_result_changes": (0, 5),
        "handoff_changes": (0, 5),
        "transcript_changes": (0, 4),
        "agent_text_changes": (0, 5),
    }
    assert values(V1, Agent(arguments={"book": {"time": "21:00", "day": "friday"}})) == {
        "divergence": (1, 1),
        "diverged_turns": (3 / 9, 1),
        "tool_selection_changes": (0, 1),
        "tool_argument_changes": (1, 1),
        "tool_result_changes": (0, 4),
        "handoff_changes": (0, 4),
        "transcript_changes": (0, 3),
        "agent_text_changes": (0, 4),
    }
    assert values(V1, Agent(skips_tools=True))["tool_selection_changes"] == (1, 1)


def test_divergence_in_the_last_turn_is_no_share_of_zero() -> None:
    before, after = (
        session_of(play(CALL, build), None) for build in (V1, Agent(silent_at=frozenset({3})))
    )
    found = diff(before, after)
    assert found.first_divergence is not None
    assert found.first_divergence.turns_lost == 0
    (sample,) = compare_all(before, after, found)["diverged_turns"].samples
    assert sample.value == 1 / 9
    assert sample.note == '1 of 9 turns: the agent\'s turn ("Goodbye.") is missing'


def test_comparison_without_the_session_is_missing() -> None:
    kinds = {event.kind for event in play(CALL).events if not event.kind.startswith("lkgate.")}
    before = session_of(play(CALL), None)
    after = session_of(without(play(CALL), *kinds), None)
    for found in compare_all(before, after, diff(before, after)).values():
        assert (found.value, found.missing) == (None, True)
        assert found.reason == "no message of the agent's session"
    for found in compare_all(after, before, diff(after, before)).values():
        assert found.reason == "the baseline has no message of the agent's session"


def test_times_are_the_candidates() -> None:
    found = against_v1(Agent(end_of_turn=1.3))
    first = earliest(found)
    assert first.baseline_span is not None
    assert first.candidate_span is not None
    assert first.candidate_span.duration_us - first.baseline_span.duration_us == us(0.6)
    assert first.t_us == first.candidate_span.end_us


@given(
    calls_at=st.sets(st.integers(0, 5)),
    breaks=st.sampled_from(("argument", "silence", "nothing")),
    length=st.integers(1, 6),
    at=st.integers(0, 5),
)
def test_turns_after_the_first_divergence_are_marked_and_no_others(
    calls_at: set[int], breaks: str, length: int, at: int
) -> None:
    """And they are the ones that latencies are not measured on, and that the share lost counts."""
    at = min(at, length - 1)

    def tool(n: int) -> tuple[tuple[str, dict[str, Json], Json], ...]:
        return ((f"tool_{n}", {"n": n}, n),) if n in calls_at else ()

    steps = [Step(f"Words {n}.", f"Reply {n}.", tools=tool(n)) for n in range(length)]
    build = V1
    if breaks == "argument":
        build = Agent(arguments={f"tool_{at}": {"n": -1}})
    elif breaks == "silence":
        build = Agent(silent_at=frozenset({at}))
    before, after = (session_of(play(steps, one), None) for one in (V1, build))
    found = diff(before, after)
    diverges = breaks == "silence" or (breaks == "argument" and at in calls_at)
    assert (found.first_divergence is not None) == diverges
    marked = [pair.after_divergence for pair in found.pairs]
    assert marked == sorted(marked)
    lost = compare_all(before, after, found)["diverged_turns"].value
    if found.first_divergence is None:
        assert (any(marked), lost) == (False, 0)
        return
    first = marked.index(False) + marked.count(False) - 1
    assert first == found.first_divergence.pair
    assert found.first_divergence.turns_lost == sum(marked)
    assert lost == (sum(marked) + 1) / len(marked)
    old = found.pairs[first].baseline
    assert old is not None
    # the greeting, then two turns a step: the agent's is the one that diverges
    assert old.index == 2 * at + 2
    assert f"{at}" in found.first_divergence.reason
