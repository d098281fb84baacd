"""Listeners of an event are called in the order in which they were added."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lkgate.harness.room.listeners import InOrder


def test_it_does_what_an_emitter_asks_of_a_set() -> None:
    listeners: list[Callable[[], int]] = [partial(int, number) for number in range(100)]
    kept = InOrder()
    for one in reversed(listeners):
        kept.add(one)
    kept.add(listeners[50])
    kept.discard(listeners[0])
    kept.discard(listeners[0])
    assert list(kept) == listeners[:0:-1]
    assert listeners[1] in kept and listeners[0] not in kept
    # One may take itself away while they are called.
    for one in kept.copy():
        kept.discard(one)
    assert not kept
