"""Which calls a rule is about: its cohort, and with ``by`` one rule for each level of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lkgate.model.gate import Rule
from lkgate.model.label import Labels
from lkgate.model.verdict import JudgedCall, Problem


def expand(rule: Rule, labels: Sequence[Labels | None]) -> tuple[Rule, ...]:
    """The rule itself, or one for each level of ``rule.by``, in alphabetical order.

    Levels are those of the calls that ``rule.where`` does not exclude. If no call says its level,
    the rule itself: it has nothing to judge, and says so.
    """
    if rule.by is None:
        return (rule,)
    levels = levels_of(rule.by, within(rule, labels))
    if not levels:
        return (replace(rule, where={rule.by: "?", **rule.where}),)
    return tuple(replace(rule, where={**rule.where, rule.by: level}) for level in levels)


def within(rule: Rule, labels: Iterable[Labels | None]) -> list[Labels | None]:
    """Those of the calls that a rule is about, and of those that do not say whether they are."""
    return [one for one in labels if outside(rule, "", one) is not True]


def levels_of(key: str, labels: Iterable[Labels | None]) -> tuple[str, ...]:
    """Every value that labels give to a cohort key."""
    found = {one.cohort[key] for one in labels if one is not None and key in one.cohort}
    return tuple(sorted(found))


def level_of(key: str, call: JudgedCall) -> str | None:
    """A call's value of a cohort key, ``None`` if its labels do not say."""
    return call.labels.cohort.get(key) if call.labels is not None else None


def outside(rule: Rule, call: str, labels: Labels | None) -> bool | Problem:
    """Whether a call is not of the rule's slice; a problem if its labels do not say.

    A call that does not say whether it belongs to a cohort might be the one that is bad.
    """
    if not rule.where:
        return False
    if labels is None:
        return Problem(call, "no labels say which cohort it belongs to", "Label the call.")
    have = {key: labels.cohort.get(key) for key in rule.where}
    if any(level not in (None, rule.where[key]) for key, level in have.items()):
        return True
    for key in (key for key, level in have.items() if level is None):
        return Problem(
            call,
            f"its labels do not say its {key}",
            f"Write `{key}:` under `cohort:` in its labels.yaml.",
        )
    return False
