"""What a language model made of a conversation, and how far people agree with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ballot = Literal["pass", "fail", "maybe"]
Label = Literal["pass", "fail"]


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer of a judge.

    Attributes:
        verdict: LiveKit's words: ``maybe`` is a judge that is not sure.
        reasoning: the judge's own words.
        criteria: what it was told to judge by, as LiveKit reports it.
        model: ``provider/model``.
        agents: version of livekit-agents that asked.
        tokens: of the request and the answer, ``None`` if the provider did not say.
    """

    verdict: Ballot
    reasoning: str
    criteria: str
    model: str
    agents: str
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The votes of one judge on one conversation, at least one."""

    votes: tuple[Vote, ...]

    def count(self, verdict: Ballot) -> int:
        return sum(vote.verdict == verdict for vote in self.votes)

    @property
    def verdict(self) -> Label | None:
        """What more than half of the votes say; ``None``: the judge is undecided."""
        for verdict in ("pass", "fail"):
            if self.count(verdict) * 2 > len(self.votes):
                return verdict
        return None

    @property
    def agreement(self) -> float:
        """Share of the votes that the most frequent verdict has."""
        verdicts: tuple[Ballot, ...] = ("pass", "fail", "maybe")
        return max(self.count(one) for one in verdicts) / len(self.votes)


@dataclass(frozen=True, slots=True)
class Agreed:
    """In so many of so many conversations the judge said what a person said."""

    hits: int
    n: int


@dataclass(frozen=True, slots=True)
class Trust:
    """How a judge was calibrated.

    The two sides stand apart: a judge that passes everything agrees with people about every good
    call, and with most of any set that has few bad ones.

    Attributes:
        good: conversations that people passed; ``bad``: that they failed.
        stale: why the calibration says nothing of the judge as it is now, else ``None``.
    """

    good: Agreed
    bad: Agreed
    stale: str | None = None

    @property
    def all(self) -> Agreed:
        return Agreed(self.good.hits + self.bad.hits, self.good.n + self.bad.n)
