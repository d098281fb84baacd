"""Answers of language models: recorded chunk by chunk, and given again at the same pace.

``response``: ``ending``, ``took_us``, ``id`` of the provider's answer, ``chunks``: ``[at_us,
chunk]``, times from the request; ``error`` if it failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from livekit.agents import llm

from lkgate.cassette import Exchange, Sink
from lkgate.cassette.keys import Request
from lkgate.harness.tape import plain
from lkgate.harness.tape.answers import Answers, took_us
from lkgate.harness.tape.deck import Run
from lkgate.harness.tape.listen import ear
from lkgate.model.event import Json


async def record(
    stream: llm.LLMStream, run: Run, request: Request, *, sink: Sink, now_us: Callable[[], int]
) -> None:
    """Let the provider answer, and keep what it says."""
    began_us = now_us()
    chunks: list[Json] = []
    response: dict[str, Json] = {"ending": "done", "id": "", "chunks": chunks}

    def said(chunk: llm.ChatChunk) -> None:
        response["id"] = response["id"] or chunk.id
        chunks.append([now_us() - began_us, plain.chunk(chunk)])

    try:
        with ear(stream._event_ch, said):
            await run()
    except asyncio.CancelledError:
        response["ending"] = "cancelled"
        raise
    except Exception as error:
        # Whatever the provider raised is part of its answer; it goes on to LiveKit.
        response |= {"ending": "error", "error": plain.error(error)}
        raise
    finally:
        sink.add("llm", began_us, request, {**response, "took_us": now_us() - began_us})


async def play(
    stream: llm.LLMStream, exchange: Exchange, request: Request, answers: Answers
) -> None:
    """Give a recorded answer."""
    began_us = answers.now_us()
    for at_us, value in cast("list[tuple[int, Json]]", exchange.response["chunks"]):
        await answers.until(began_us + at_us)
        chunk = plain.chunk_from(value, str(exchange.response["id"]))
        if chunk.delta is not None:
            for call in chunk.delta.tool_calls:
                call.call_id = answers.call_id(call.call_id)
        stream._event_ch.send_nowait(chunk)
    await answers.until(began_us + took_us(exchange))
    if exchange.ending == "error":
        raise answers.error_of(exchange)
    if exchange.ending == "cancelled":
        raise await answers.outlived("llm", exchange, request)
