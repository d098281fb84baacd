"""Overhearing an object's method for a while, without changing its class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from livekit.agents.utils import aio

T = TypeVar("T")


@contextmanager
def overheard(target: object, **methods: Callable[..., Any]) -> Iterator[None]:
    """Within the block, calls of ``target.name(...)`` go to ``methods[name](original, ...)``."""
    before = {name: vars(target).get(name) for name in methods}
    for name, method in methods.items():
        setattr(target, name, _bound(getattr(target, name), method))
    try:
        yield
    finally:
        for name, own in before.items():
            if own is None:
                delattr(target, name)
            else:
                setattr(target, name, own)


@contextmanager
def ear(channel: aio.Chan[T], said: Callable[[T], None]) -> Iterator[None]:
    """Within the block, ``said`` is told of everything that is sent into ``channel``."""

    def send(original: Callable[[T], None], value: T) -> None:
        said(value)
        original(value)

    with overheard(channel, send_nowait=send):
        yield


def _bound(original: Callable[..., Any], method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return method(original, *args, **kwargs)

    return call
