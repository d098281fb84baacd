"""Which turn of one session does the job of which turn of the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lkgate.diff.align import align
from lkgate.measure.turns import turns_of
from lkgate.model.bundle import Bundle
from lkgate.model.turn import Turn
from tests.measure.builders import V1, V2, Agent, Step, bundle, play, without

WORDS = (
    "apple pie",
    "blue sky",
    "cold water",
    "dark night",
    "early bird",
    "full moon",
    "green tea",
)


def pairs(old: Bundle, new: Bundle) -> tuple[str, list[tuple[int | None, int | None]]]:
    mode, found = align(turns_of(old), turns_of(new))
    return mode, [(a.index if a else None, b.index if b else None) for a, b in found]


def steps(*said: str) -> list[Step]:
    return [Step(words, f"Reply to {words}.") for words in said]


def test_same_plan_same_turns() -> None:
    old, new = play(steps("one", "two"), V1), play(steps("one", "two"), V2)
    assert pairs(old, new) == ("plan", [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)])


def test_unanswered_utterance_leaves_the_others_in_place() -> None:
    script = steps("one", "two", "three")
    mode, found = pairs(play(script), play(script, Agent(silent_at=frozenset({1}))))
    assert mode == "plan"
    assert found == [(0, 0), (1, 1), (2, 2), (3, 3), (4, None), (5, 4), (6, 5)]
    _, found = pairs(play(script, Agent(silent_at=frozenset({1}))), play(script))
    assert found == [(0, 0), (1, 1), (2, 2), (3, 3), (None, 4), (4, 5), (5, 6)]


def test_barge_in_that_is_spoken_through_keeps_its_exchange() -> None:
    script = [*steps("one"), Step("stop now", "Sorry.", into=1.0, reply_lasts=2.0), *steps("three")]
    assert pairs(play(script), play(script, Agent(interruptible=False)))[1] == [
        (i, i) for i in range(7)
    ]


def test_sessions_without_a_plan_are_aligned_by_words() -> None:
    old = without(play(steps("one thing", "two things", "three things")), "lkgate.caller_utterance")
    new = without(play(steps("one thing", "three things")), "lkgate.caller_utterance")
    assert pairs(old, new) == (
        "text",
        [(0, 0), (1, 1), (2, 2), (3, None), (4, None), (5, 3), (6, 4)],
    )


def test_sessions_without_words_are_aligned_by_order() -> None:
    gone = ("lkgate.caller_utterance", "conversation_item_added")
    old, new = (without(play(steps("one", "two"), build), *gone) for build in (V1, V2))
    assert pairs(old, new) == ("text", [(i, i) for i in range(5)])


def test_empty_sides() -> None:
    assert pairs(bundle(), bundle()) == ("text", [])
    assert pairs(play(steps("one")), bundle())[1] == [(0, None), (1, None), (2, None)]


@given(
    said=st.lists(st.sampled_from(WORDS), unique=True, min_size=1, max_size=6),
    at=st.integers(0, 6),
)
def test_one_exchange_more_moves_no_other(said: list[str], at: int) -> None:
    """Without a plan too: everything else stays aligned with itself."""
    at = min(at, len(said))
    more = [*said[:at], "something quite different", *said[at:]]
    old = without(play(steps(*said)), "lkgate.caller_utterance")
    new = without(play(steps(*more)), "lkgate.caller_utterance")
    mode, found = align(turns_of(old), turns_of(new))
    assert mode == "text"
    for a, b in found:
        if a is not None:
            assert b is not None
            assert a.text == b.text
    extra = [b.text for a, b in found if a is None and b is not None]
    assert extra == ["something quite different", "Reply to something quite different."]


@given(
    old=st.lists(st.sampled_from(WORDS), max_size=5),
    new=st.lists(st.sampled_from(WORDS), max_size=5),
    planned=st.booleans(),
)
def test_every_turn_stands_in_one_pair_in_order(
    old: list[str], new: list[str], planned: bool
) -> None:
    gone = () if planned else ("lkgate.caller_utterance",)
    before = turns_of(without(play(steps(*old)), *gone))
    after = turns_of(without(play(steps(*new)), *gone))
    _, found = align(before, after)

    def side(turns: list[Turn | None]) -> list[int]:
        return [turn.index for turn in turns if turn is not None]

    assert side([a for a, _ in found]) == list(range(len(before)))
    assert side([b for _, b in found]) == list(range(len(after)))
    assert all(a.role == b.role for a, b in found if a and b)
