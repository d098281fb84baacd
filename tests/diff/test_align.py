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


def plan_or_not(session: Bundle, planned: bool) -> Bundle:
    return session if planned else without(session, "lkgate.caller_utterance")


@given(said=st.lists(st.sampled_from(WORDS), max_size=7), planned=st.booleans())
def test_a_session_is_aligned_with_itself(said: list[str], planned: bool) -> None:
    """Also where the same is said several times."""
    turns = turns_of(plan_or_not(play(steps(*said)), planned))
    _, found = align(turns, turns)
    assert found == [(turn, turn) for turn in turns]


@given(
    said=st.lists(st.sampled_from(WORDS), unique=True, min_size=1, max_size=6),
    gone=st.sets(st.integers(0, 5)),
    new=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(("quite new", "never heard")))),
)
def test_whatever_is_left_out_or_put_in_the_others_stay_where_they_were(
    said: list[str], gone: set[int], new: list[tuple[int, str]]
) -> None:
    """As many as one likes on one side: each exchange that both have is aligned with itself."""
    kept = [words for at, words in enumerate(said) if at not in gone]
    more = list(said)
    for at, words in new:
        more.insert(min(at, len(more)), words)
    for old, other in ((said, kept), (said, more)):
        before = turns_of(without(play(steps(*old)), "lkgate.caller_utterance"))
        after = turns_of(without(play(steps(*other)), "lkgate.caller_utterance"))
        for left, right in ((before, after), (after, before)):
            _, found = align(left, right)
            pairs_of = {(a.text, b.text) for a, b in found if a and b}
            assert all(a == b for a, b in pairs_of)
            assert {a for a, _ in pairs_of} >= {words for words in kept if words in other}


@given(
    said=st.lists(st.sampled_from(WORDS), unique=True, min_size=1, max_size=6),
    at=st.integers(0, 5),
    planned=st.booleans(),
)
def test_other_words_of_one_answer_move_no_turn(said: list[str], at: int, planned: bool) -> None:
    at = min(at, len(said) - 1)
    reply = f"Reply to {said[at]}."
    old = play(steps(*said))
    new = play(steps(*said), Agent(wording={reply: "Something else altogether, with more words."}))
    _, found = pairs(plan_or_not(old, planned), plan_or_not(new, planned))
    assert found == [(n, n) for n in range(2 * len(said) + 1)]


@given(
    said=st.lists(st.sampled_from(WORDS), unique=True, min_size=1, max_size=6),
    silent=st.sets(st.integers(0, 5)),
)
def test_answers_that_are_missing_move_no_turn_of_the_plan(
    said: list[str], silent: set[int]
) -> None:
    before = turns_of(play(steps(*said)))
    after = turns_of(play(steps(*said), Agent(silent_at=frozenset(silent))))
    mode, found = align(before, after)
    assert mode == "plan"
    for a, b in found:
        if a is not None and b is not None:
            assert a.text == b.text
    lost = {a.text for a, b in found if a is not None and b is None}
    assert lost == {f"Reply to {said[at]}." for at in silent if at < len(said)}
