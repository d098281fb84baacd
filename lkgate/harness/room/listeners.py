"""Listeners of an event, called in the order in which they were added.

``livekit`` 1.1.17 and older keeps them in sets, which are iterated in an order that depends on
where in memory each listener lies: another one in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit.rtc import event_emitter

Listener = Callable[..., Any]


class InOrder(dict[Listener, None]):
    """What ``EventEmitter`` asks of a set, iterated in the order of adding."""

    def add(self, listener: Listener) -> None:
        self.setdefault(listener)

    def discard(self, listener: Listener) -> None:
        self.pop(listener, None)

    def copy(self) -> InOrder:
        return InOrder(self)


def order_listeners() -> None:
    """Change ``livekit.rtc`` itself: the ``set`` of its module of emitters, where it makes any."""
    module: Any = event_emitter
    module.set = InOrder
