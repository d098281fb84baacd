"""What LiveKit does the first time it is used, done once for all the calls of a build.

Patterns of hyphenation, certificates, the schema of a tool: every fork would otherwise do it
anew. Nothing here starts a thread, asks the time or draws a number, and nothing depends on it: a
version of LiveKit that lacks one of these things only pays for it in each call.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable

import numpy as np
from livekit.agents import llm, tokenize, utils

# Imported by LiveKit in the middle of a call.
_IMPORTED_LATE = ("livekit.agents.llm.async_toolset", "livekit.agents.voice.report", "numpy.fft")


def _words() -> None:
    tokenize.basic.hyphenate_word("rehearsal")
    text = "One sentence. And another one, for the tokenizer."
    tokenize.basic.SentenceTokenizer().tokenize(text)
    tokenize.basic.WordTokenizer().tokenize(text)
    tokenize.blingfire.SentenceTokenizer().tokenize(text)


def _tools() -> None:
    @llm.function_tool
    async def rehearsed(name: str, count: int = 1) -> str:
        """Do nothing.

        Args:
            name: of nothing.
            count: of nothing.
        """
        return f"{count} {name}"

    llm.utils.build_legacy_openai_schema(rehearsed, internally_tagged=True)
    llm.utils.function_arguments_to_pydantic_model(rehearsed)


def _spectrum() -> None:
    np.fft.rfft(np.zeros(600))


def _certificates() -> None:
    utils.http_context._create_ssl_context()


_STEPS: list[Callable[[], object]] = [_words, _tools, _spectrum, _certificates]


def rehearse() -> None:
    """Do it. Before the fork, after virtual time was installed."""
    for name in _IMPORTED_LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for step in _STEPS:
        with contextlib.suppress(AttributeError, ImportError, OSError, TypeError, ValueError):
            step()
