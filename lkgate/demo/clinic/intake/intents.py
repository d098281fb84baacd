"""Which of a few intents a caller's sentence is nearest to.

Nearest example by TF-IDF over words and character trigrams. Trigrams forgive what speech
recognition does to words ("apointment", "rebok"). It is a table with a distance, not a language
model, and it answers the same for the same words everywhere.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

EXAMPLES: Mapping[str, Sequence[str]] = {
    "book": (
        "I would like to book an appointment",
        "can I make an appointment with the doctor",
        "I need to see a doctor this week",
        "could I book a blood test please",
        "I want to come in for a check-up",
        "please book me in for a visit",
    ),
    "move": (
        "could you move my appointment to another day",
        "I need to reschedule my appointment",
        "can we change my appointment to Thursday",
        "actually can we make it Friday instead",
        "I have to change the time of my booking",
        "could you make that a different day",
    ),
    "look_up": (
        "when is my appointment",
        "can you tell me what time my appointment is",
        "I forgot when I am supposed to come in",
        "could you check my appointment for me",
        "I want to know the day of my next appointment",
    ),
    "unwell": (
        "I am not feeling well",
        "I have had a cough and a fever for days",
        "I feel sick and do not know what to do",
        "I have a rash on my arm and it is getting worse",
        "my stomach hurts",
        "can I talk to a nurse about my symptoms",
        "I have a terrible headache",
    ),
    "human": (
        "I would like to speak to a real person",
        "can I talk to a human please",
        "put me through to someone",
        "I do not want to talk to a machine",
        "let me speak with the receptionist",
    ),
    "prepare": (
        "what do I need to bring",
        "how should I prepare for the test",
        "do I have to bring anything with me",
        "is there anything I should know before I come",
    ),
    "hours": (
        "what are your opening hours",
        "when are you open",
        "how late are you open on Friday",
        "are you open on weekends",
    ),
    "yes": (
        "yes please",
        "yes that is right",
        "that is correct",
        "yes go ahead",
        "sounds good",
        "yes that works",
        "okay great",
    ),
    "no": ("no", "no thank you", "no that is not right", "no that is wrong"),
    "wait": (
        "one moment please",
        "hold on let me check my calendar",
        "give me a second",
        "wait a minute I have to look for it",
        "I am still here",
    ),
    "enough": (
        "okay thank you that is enough",
        "yes I know thank you",
        "all right I know that",
        "you do not have to tell me that",
    ),
    "goodbye": (
        "that is all thank you",
        "no that is everything thank you goodbye",
        "goodbye",
        "thanks bye",
        "thank you very much that was all",
        "no that is all thanks",
    ),
    "inform": (
        "my name is",
        "on Tuesday at ten",
        "for three days",
        "about a six",
        "since yesterday",
        "Monday at half past nine in the morning",
    ),
}


@dataclass(frozen=True, slots=True)
class Guess:
    intent: str
    similarity: float


class Intents:
    """Nearest-example choice over ``examples``: intent to sentences."""

    def __init__(self, examples: Mapping[str, Sequence[str]] = EXAMPLES) -> None:
        counted = [(i, _features(text)) for i, texts in examples.items() for text in texts]
        seen = Counter(feature for _, features in counted for feature in features)
        self._weight = {f: math.log((1 + len(counted)) / (1 + n)) + 1 for f, n in seen.items()}
        self._rows = [(intent, self._vector(features)) for intent, features in counted]

    def guess(self, text: str) -> Guess:
        """The best intent; ties go to the one listed first."""
        asked = self._vector(_features(text))
        best = Guess("inform", 0.0)
        for intent, row in self._rows:
            similarity = sum(value * row.get(feature, 0.0) for feature, value in asked.items())
            if similarity > best.similarity + 1e-9:
                best = Guess(intent, similarity)
        return best

    def _vector(self, features: Counter[str]) -> dict[str, float]:
        raw = {
            feature: (1 + math.log(count)) * self._weight[feature]
            for feature, count in sorted(features.items())
            if feature in self._weight
        }
        norm = math.sqrt(sum(value * value for value in raw.values())) or 1.0
        return {feature: value / norm for feature, value in raw.items()}


def _features(text: str) -> Counter[str]:
    text = text.lower().replace("'m ", " am ").replace("'s ", " is ").replace("'d ", " would ")
    words = re.findall(r"[a-z']+", text)
    features: Counter[str] = Counter(f"={word}" for word in words)
    for word in words:
        padded = f" {word} "
        features.update(padded[i : i + 3] for i in range(len(padded) - 2))
    return features
