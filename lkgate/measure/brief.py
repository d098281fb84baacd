"""Words of a call inside sentences about it: as many as a sentence bears."""

from __future__ import annotations

# Of a whole sentence, and of one text that it quotes.
SENTENCE = 4_000
QUOTE = 1_000


def brief(text: str, limit: int = SENTENCE) -> str:
    """``text``, or its beginning and how many characters follow it.

    What a sentence leaves out stands in the turn that it is about.
    """
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]}\u2026 [{more:,} more characters]"
