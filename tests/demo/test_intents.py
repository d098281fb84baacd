from __future__ import annotations

import pytest
from intake.intents import EXAMPLES, Intents

INTENTS = Intents()


@pytest.mark.parametrize(
    ("heard", "intent"),
    [
        ("Whoa, can I make an appointment with the doctor?", "book"),
        ("Oh, I would like to boot-hand up, pine-ment.", "book"),
        ("Hello, can you tell me when my appointment is?", "look_up"),
        ("Could you move my point to another day?", "move"),
        ("I would like to speak for real person.", "human"),
        ("Hello, I am not feeling well.", "unwell"),
        ("And what art your opening hours?", "hours"),
        ("Hello, what do I need to bring for a blood test?", "prepare"),
        ("One moment, please, I have to look for my calendar.", "wait"),
        ("Ok, thank you. that is enough.", "enough"),
        ("Yes, I know, thank you.", "enough"),
        ("Yes, please.", "yes"),
        ("Know that is all. Thank you.", "goodbye"),
        ("That is all, thank you, good-bye.", "goodbye"),
    ],
)
def test_what_was_heard_in_rehearsal_is_understood(heard: str, intent: str) -> None:
    guess = INTENTS.guess(heard)
    assert (guess.intent, guess.similarity > 0.3) == (intent, True)


def test_an_example_is_nearest_to_itself() -> None:
    for intent, sentences in EXAMPLES.items():
        for sentence in sentences:
            assert INTENTS.guess(sentence).intent == intent
            assert INTENTS.guess(sentence).similarity == pytest.approx(1.0)


def test_nothing_is_nothing() -> None:
    assert INTENTS.guess("").similarity == 0.0
    assert INTENTS.guess("Zzyzx qqq").similarity < 0.1
