from __future__ import annotations

from dataclasses import replace

from lkgate.judge.conversation import Called, Handed, Said, conversation_of, shifts
from lkgate.judge.identity import identity_of, key_of
from tests.judge.asking import POLITE, RUDE, entry
from tests.measure.builders import Agent, Step, play, without

CALL = [
    Step(
        "Tuesday, please.",
        "You are booked.",
        tools=(("book", {"day": "tuesday"}, {"reference": "A1"}),),
        handoff="nurse",
    )
]


def test_what_was_said_and_done_in_order() -> None:
    assert conversation_of(play(CALL)) == (
        Said("agent", "Clinic, how can I help?", False),
        Said("caller", "Tuesday, please.", False),
        Called("book", '{"day":"tuesday"}', '{"reference":"A1"}', False),
        Handed("receptionist", "nurse"),
        Said("agent", "You are booked.", False),
    )


def test_who_was_cut_short() -> None:
    steps = [Step("Hello.", "We have many days."), Step("No, wait.", "Yes?", into=1.0)]
    said = [item for item in conversation_of(play(steps)) if isinstance(item, Said)]
    assert [item.interrupted for item in said] == [False, False, True, False, False]


def test_other_timings_are_the_same_question() -> None:
    slow = conversation_of(play(CALL, Agent(end_of_turn=1.9, llm=1.1)))
    assert key_of(entry(), slow) == key_of(entry(), conversation_of(play(CALL)))


def test_other_words_are_another_question() -> None:
    assert key_of(entry(), POLITE) != key_of(entry(), RUDE)


def test_another_judge_is_another_question() -> None:
    judges = [
        entry(),
        entry(instructions="The agent must be brief."),
        entry(kind="safety"),
        entry(words="other"),
        replace(entry(), llm="livekit.plugins.openai:LLM"),
    ]
    assert len({key_of(judge, POLITE) for judge in judges}) == len(judges)


def test_a_name_a_budget_and_white_space_are_no_other_judge() -> None:
    same = entry(name="x", votes=5, max_calls=1, instructions="The agent  must be\nhelpful.")
    assert identity_of(same) == identity_of(entry())


def test_nothing_was_said() -> None:
    assert conversation_of(without(play(CALL), *{e.kind for e in play(CALL).events})) == ()


def test_the_first_agent_takes_over_from_nobody() -> None:
    assert shifts((Handed(None, "receptionist"),)) is False
    assert shifts((Handed("receptionist", "nurse"),)) is True
