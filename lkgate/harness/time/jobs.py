"""What an executor is asked to do: what may be done at once, and what needs a thread."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

# Modules of native inference: pure functions of their arguments, quick, and many times a second
# (the voice activity detector 31). They run where they are asked for; a thread's turn costs more.
PURE = ("livekit.local_inference", "livekit.plugins.silero.onnx_model")


def is_pure(func: Callable[..., object]) -> bool:
    """Whether a job neither waits nor touches anything but its arguments."""
    if isinstance(func, functools.partial):  # asyncio.to_thread: partial(context.run, func, ...)
        if not func.args:
            return False
        func = func.args[0]
    owner = getattr(func, "__self__", None)
    module = getattr(func, "__module__", None) if owner is None else type(owner).__module__
    return isinstance(module, str) and module.startswith(PURE)


def is_processes(executor: object) -> bool:
    return type(executor).__module__ == "concurrent.futures.process"


def outcome(func: Callable[..., T], args: tuple[Any, ...]) -> tuple[T | None, BaseException | None]:
    """Do the job now: its result, or its error."""
    try:
        return func(*args), None
    except Exception as error:  # noqa: BLE001 - belongs to whoever awaits the future
        return None, error


def settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    """Tell a future, unless it was cancelled meanwhile."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
