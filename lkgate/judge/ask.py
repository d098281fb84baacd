"""Ask a judge about conversations, within a budget, and keep what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lkgate.bundle.canonical import compact
from lkgate.config import JudgeEntry
from lkgate.judge.conversation import Conversation, as_json, shifts
from lkgate.judge.identity import identity_of, key_of
from lkgate.judge.provider import Provider, RefusedError
from lkgate.judge.store import Store
from lkgate.model.judgement import Judgement
from lkgate.secret import Secrets

# Of English, a token is about four characters; three leaves room for other languages.
_CHARACTERS = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one conversation.

    Attributes:
        judgement: ``None`` if there is none (see ``reason``).
        reason: why there is none.
        applies: ``False``: there is nothing for this judge to look at.
        asked: votes that were asked for now.
    """

    call: str
    judgement: Judgement | None
    reason: str | None = None
    applies: bool = True
    asked: int = 0


@dataclass(slots=True)
class Spent:
    """Of one judge's budget. Tokens are estimated where a provider does not count them."""

    calls: int = 0
    tokens: int = 0
    estimated: bool = False

    def left(self, judge: JudgeEntry) -> str | None:
        """Why nothing more may be asked, ``None`` if it may."""
        if self.calls >= judge.max_calls:
            return f"its budget of {judge.max_calls} calls is spent"
        if self.tokens >= judge.max_tokens:
            return f"its budget of {judge.max_tokens} tokens is spent"
        return None


def recall(judge: JudgeEntry, store: Store, call: str, conversation: Conversation) -> Judged:
    """What a judge said before: nobody is asked."""
    if not conversation:
        return Judged(call, None, "nothing was said in it")
    if judge.kind == "handoff" and not shifts(conversation):
        # LiveKit's judge passes such a call: that would make a share of good handoffs of none.
        return Judged(call, None, "no agent handed over to another", applies=False)
    key = key_of(judge, conversation)
    found = store.judgement(key, judge.votes)
    if found is not None:
        return Judged(call, found)
    have = judge.votes - len(store.lacking(key, judge.votes))
    if have:
        return Judged(call, None, f"it gave {have} of its {judge.votes} votes")
    return Judged(call, None, "it was never asked about this conversation")


def ask(
    judge: JudgeEntry,
    store: Store,
    calls: Sequence[tuple[str, Conversation]],
    provider: Callable[[], Provider],
    secrets: Secrets,
    on_judged: Callable[[Judged], None] = lambda _: None,
) -> tuple[list[Judged], Spent]:
    """A judge's word on every conversation; what it said before is not asked for again.

    Args:
        calls: names and conversations, in the order of asking.
        provider: called once, when somebody must be asked.
        secrets: never kept.
        on_judged: told of each as it comes.
    """
    spent = Spent()
    found: list[Judged] = []
    made: Provider | None = None
    for call, conversation in calls:
        known = recall(judge, store, call, conversation)
        if known.judgement is None and known.applies and conversation:
            made = made or provider()
            known = _asked(judge, store, call, conversation, made, spent, secrets)
        found.append(known)
        on_judged(known)
    if spent.calls:
        store.tidy()
    return found, spent


def _asked(
    judge: JudgeEntry,
    store: Store,
    call: str,
    conversation: Conversation,
    provider: Provider,
    spent: Spent,
    secrets: Secrets,
) -> Judged:
    key, identity = key_of(judge, conversation), identity_of(judge)
    asked = 0
    for number in store.lacking(key, judge.votes):
        over = spent.left(judge)
        if over is not None:
            return Judged(call, None, over, asked=asked)
        asked += 1
        spent.calls += 1
        shown = len(compact(as_json(conversation)))
        try:
            vote = provider.vote(conversation)
        except RefusedError as error:
            spent.tokens += shown // _CHARACTERS
            spent.estimated = True
            return Judged(call, None, secrets.hide(str(error)), asked=asked)
        if vote.tokens is None:
            spent.estimated = True
            said = len(vote.criteria) + len(vote.reasoning)
            spent.tokens += (shown + said) // _CHARACTERS
        else:
            spent.tokens += vote.tokens
        vote = replace(vote, reasoning=secrets.hide(vote.reasoning))
        store.add(key, number, identity, vote)
    return Judged(call, store.judgement(key, judge.votes), asked=asked)
