"""Who sits behind the seams: nobody, a recorder, or a player of recorded answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from livekit.agents import llm, stt, tts
from livekit.agents.utils import AudioBuffer
from livekit.agents.voice import RunContext

Run = Callable[[], Awaitable[None]]
Speak = Callable[[tts.AudioEmitter], Awaitable[None]]
Recognize = Callable[[], Awaitable[stt.SpeechEvent]]
Voice = tts.SynthesizeStream | tts.ChunkedStream
FunctionTool = llm.FunctionTool[Any, Any] | llm.RawFunctionTool[Any, Any]
# What stands in for a tool: LiveKit calls it with those of the tool's arguments that it names.
Stand = Callable[..., Awaitable[object]]


class Deck(Protocol):
    """What is asked at the seams; ``run`` is the program's own way to the provider."""

    @property
    def prewarms(self) -> bool:
        """Whether models may open connections ahead of time."""

    async def think(self, stream: llm.LLMStream, run: Run) -> None:
        """Answer a request to a language model into ``stream``."""

    async def speak(self, stream: Voice, emitter: tts.AudioEmitter, run: Speak) -> None:
        """Speak into ``emitter``."""

    async def listen(self, stream: stt.RecognizeStream, run: Run) -> None:
        """Recognise a stream of audio until it ends."""

    async def recognize(
        self, model: stt.STT[Any], buffer: AudioBuffer, language: str | None, run: Recognize
    ) -> stt.SpeechEvent:
        """Recognise a piece of audio."""

    def call(
        self, tool: FunctionTool, context: RunContext[Any], arguments: dict[str, Any]
    ) -> Stand | None:
        """What is executed instead of ``tool``; ``None``: the tool itself."""

    def realtime(self, label: str) -> None:
        """A speech-to-speech model opens a session; raise to refuse it."""


_deck: Deck | None = None


def current() -> Deck | None:
    """The deck of this process."""
    return _deck


def insert(deck: Deck | None) -> None:
    """Put a deck behind the seams, or take it away."""
    global _deck
    _deck = deck
