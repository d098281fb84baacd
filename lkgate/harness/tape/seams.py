"""LiveKit's methods that the deck sits behind. Contract: livekit-agents 1.8.9.

- ``_main_task`` of the four stream classes calls ``self._run``: within it, ``_run`` is ours. So
  every subclass is covered, whenever it is defined. Wrappers (fallbacks, adapters) are left alone:
  the streams that they open are not.
- ``STT.recognize`` calls ``self._recognize_impl``.
- ``_ToolExecutor.execute`` takes a ``mock`` that is called instead of the tool, with its checked
  arguments; LiveKit keeps the schema, the events and the duplicate checks.
- ``chat`` is where a tool choice is still known; ``prewarm`` and ``session`` open connections.
  These are overridden by every provider, so they are replaced on each instance as it is made.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import llm, stt, tts
from livekit.agents.utils import AudioBuffer
from livekit.agents.voice.tool_executor import _ToolExecutor

from lkgate.harness.tape import acts, deck, plain, request
from lkgate.harness.tape.deck import FunctionTool

_WRAPPERS = {
    "livekit.agents.llm.fallback_adapter",
    "livekit.agents.stt.fallback_adapter",
    "livekit.agents.stt.multi_speaker_adapter",
    "livekit.agents.stt.stream_adapter",
    "livekit.agents.tts.fallback_adapter",
    "livekit.agents.tts.stream_adapter",
}
_WRAPPER_CLASSES = {"livekit.agents.tts.tts._ChunkedStreamFromStream"}

_installed = False


def install() -> None:
    """Take the seams over; once a process. Without a deck they pass everything through."""
    global _installed
    if _installed:
        return
    _installed = True
    for kind in (llm.LLMStream, tts.SynthesizeStream, tts.ChunkedStream, stt.RecognizeStream):
        _replace(kind, "_main_task", _with_run)
    models: tuple[type, ...] = (llm.LLM, tts.TTS, stt.STT)
    for model in models:
        _replace(model, "__init__", _with_prewarm)
    # livekit-agents 1.8.0 and older have no duplex models.
    speech_to_speech = (llm.RealtimeModel, getattr(llm, "DuplexModel", None))
    for model in filter(None, speech_to_speech):
        _replace(model, "__init__", _with_session)
    _replace(stt.STT, "recognize", _with_recognize)
    _replace(_ToolExecutor, "execute", _with_stand_in)
    acts.install()


def is_wrapper(kind: type) -> bool:
    """Whether a class only passes on what other models answer."""
    return any(
        base.__module__ in _WRAPPERS or f"{base.__module__}.{base.__qualname__}" in _WRAPPER_CLASSES
        for base in kind.__mro__
    )


def _replace(kind: type, name: str, wrap: Callable[[Callable[..., Any]], Any]) -> None:
    original = vars(kind)[name]
    setattr(kind, name, functools.wraps(original)(wrap(original)))


def _with_run(original: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def main_task(self: Any) -> None:
        if not is_wrapper(type(self)) and "_run" not in vars(self):
            self._run = functools.partial(_run, self, self._run)
        await original(self)

    return main_task


async def _run(stream: Any, own: Callable[..., Awaitable[None]], *args: Any) -> None:
    current = deck.current()
    if current is None:
        await own(*args)
    elif isinstance(stream, llm.LLMStream):
        await current.think(stream, own)
    elif isinstance(stream, stt.RecognizeStream):
        await current.listen(stream, own)
    else:
        await current.speak(stream, args[0], own)


def _with_prewarm(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        prewarm = self.prewarm

        def prewarm_if(*args: Any, **kwargs: Any) -> None:
            current = deck.current()
            if current is None or current.prewarms:
                prewarm(*args, **kwargs)

        self.prewarm = prewarm_if
        chat = getattr(self, "chat", None)  # of an LLM
        if chat is not None:
            self.chat = _keeping_tool_choice(chat)

    return init


def _keeping_tool_choice(chat: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(chat)
    def asked(*args: Any, **kwargs: Any) -> Any:
        stream = chat(*args, **kwargs)
        # Its task has been made but has not run yet.
        setattr(stream, request.TOOL_CHOICE, kwargs.get("tool_choice"))
        return stream

    return asked


def _with_session(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        session = self.session

        def open_session(*args: Any, **kwargs: Any) -> Any:
            current = deck.current()
            if current is not None:
                current.realtime(self.label)
            return session(*args, **kwargs)

        self.session = open_session

    return init


def _with_recognize(original: Callable[..., Any]) -> Callable[..., Any]:
    async def recognize(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_wrapper(type(self)) and "_recognize_impl" not in vars(self):
            self._recognize_impl = functools.partial(_recognize, self, self._recognize_impl)
        return await original(self, *args, **kwargs)

    return recognize


async def _recognize(
    model: stt.STT[Any],
    own: Callable[..., Awaitable[stt.SpeechEvent]],
    buffer: AudioBuffer,
    **options: Any,
) -> stt.SpeechEvent:
    current = deck.current()
    run = functools.partial(own, buffer, **options)
    if current is None:
        return await run()
    language = plain.given(options.get("language")) or request.language_of_model(model)
    return await current.recognize(model, buffer, None if language is None else str(language), run)


def _with_stand_in(original: Callable[..., Any]) -> Callable[..., Any]:
    async def execute(
        self: Any,
        *,
        tool: FunctionTool,
        run_ctx: Any,
        raw_arguments: dict[str, Any],
        mock: Callable[..., Any] | None = None,
    ) -> Any:
        current = deck.current()
        if current is not None and mock is None:
            mock = current.call(tool, run_ctx, raw_arguments)
        return await original(
            self, tool=tool, run_ctx=run_ctx, raw_arguments=raw_arguments, mock=mock
        )

    return execute
