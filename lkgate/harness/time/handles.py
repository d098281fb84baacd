"""Handles of callbacks, made in half the time: a call makes hundreds of thousands."""

from __future__ import annotations

import asyncio
from asyncio import Handle, TimerHandle, format_helpers
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any


class Soon(Handle):
    """``asyncio.Handle``, without debug's traceback of where it was made."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: Any,
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        this: Any = self
        this._context = copy_context() if context is None else context
        this._loop = loop
        this._callback = callback
        this._args = args
        this._cancelled = False
        this._repr = None
        this._source_traceback = None


class Timer(TimerHandle):
    """``asyncio.TimerHandle``, likewise; in the heap from the beginning."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Any,
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        this: Any = self
        this._context = copy_context() if context is None else context
        this._loop = loop
        this._callback = callback
        this._args = args
        this._cancelled = False
        this._repr = None
        this._source_traceback = None
        this._when = when
        this._scheduled = True


def fail(handle: Handle, error: BaseException) -> None:
    """Tell the loop what a handle's callback raised, in the words of ``Handle._run``."""
    this: Any = handle
    helpers: Any = format_helpers
    source = helpers._format_callback_source(this._callback, this._args)
    said = {"message": f"Exception in callback {source}", "exception": error, "handle": handle}
    this._loop.call_exception_handler(said)
