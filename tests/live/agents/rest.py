"""The part of OpenAI's REST API that LiveKit's OpenAI plugins use, over the demo's models."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from aiohttp import web
from intake.dialogue import Heard, Item, Reply, Returned, Told
from livekit import rtc

from tests.live.agents import models

THINK_S = 0.12
WORD_S = 0.015


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v1/models", list_models),
        web.post("/v1/chat/completions", complete),
        web.post("/v1/audio/transcriptions", transcribe),
        web.post("/v1/audio/speech", speak),
    ]


async def list_models(request: web.Request) -> web.Response:
    """Asked by a plugin that opens its connection early."""
    return web.json_response({"object": "list", "data": []})


async def complete(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    if not asked.get("stream"):
        return refuse("only streamed completions are served")
    offered = [tool["function"]["name"] for tool in asked.get("tools") or []]
    reply = await asyncio.to_thread(models.answer, items_of(asked["messages"]), offered)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await asyncio.sleep(THINK_S)
    for chunk in chunks_of(reply):
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await asyncio.sleep(WORD_S)
    await response.write(b"data: [DONE]\n\n")
    return response


def items_of(messages: Sequence[Mapping[str, Any]]) -> list[Item]:
    """A request's messages as the policy reads them. What the agent said is no part of it."""
    items: list[Item] = []
    called: dict[str, str] = {}
    for message in messages:
        for call in message.get("tool_calls") or []:
            called[call["id"]] = call["function"]["name"]
        text = text_of(message.get("content"))
        if message["role"] == "tool":
            items.append(Returned(called[message["tool_call_id"]], text))
        elif message["role"] == "user" and text:
            items.append(Heard(text))
        elif message["role"] in ("system", "developer") and text:
            items.append(Told(text))
    return items


def text_of(content: str | Sequence[Mapping[str, Any]] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.get("text", "") for part in content)


def chunks_of(reply: Reply) -> Iterator[dict[str, Any]]:
    """A reply as the objects of a streamed completion: word by word, the tool call after them."""
    words = reply.text.split()
    for number, word in enumerate(words, 1):
        text = word if number == len(words) else f"{word} "
        yield chunk({"role": "assistant", "content": text})
    if reply.call is not None:
        called = {"name": reply.call.tool, "arguments": json.dumps(dict(reply.call.arguments))}
        call = {
            "index": 0,
            "id": f"call_{uuid.uuid4().hex[:12]}",
            "type": "function",
            "function": called,
        }
        yield chunk({"role": "assistant", "content": None, "tool_calls": [call]})
    yield chunk({}, "tool_calls" if reply.call else "stop")
    usage = {"prompt_tokens": 0, "completion_tokens": len(words), "total_tokens": len(words)}
    yield {**chunk({}), "choices": [], "usage": usage}


def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-local",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "intent-tfidf-1",
        "choices": [choice],
    }


async def transcribe(request: web.Request) -> web.Response:
    form = await request.post()
    file = form.get("file")
    if not isinstance(file, web.FileField):
        return refuse("there is no file")
    samples, rate_hz = soundfile.read(io.BytesIO(file.file.read()), dtype="int16", always_2d=True)
    pcm = resample(samples[:, 0], rate_hz, models.EAR_HZ)
    return web.json_response({"text": await asyncio.to_thread(models.transcribe, pcm)})


async def speak(request: web.Request) -> web.Response:
    asked = await request.json()
    if asked.get("response_format") != "pcm":
        return refuse("only pcm is served")
    pcm = await asyncio.to_thread(models.speak, asked["input"])
    return web.Response(body=pcm.tobytes(), content_type="audio/pcm")


def resample(pcm: models.Pcm, from_hz: int, to_hz: int) -> models.Pcm:
    if from_hz == to_hz:
        return pcm
    resampler = rtc.AudioResampler(from_hz, to_hz)
    frames = resampler.push(bytearray(pcm.tobytes())) + resampler.flush()
    parts = [np.frombuffer(frame.data, np.int16) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def refuse(message: str) -> web.Response:
    return web.json_response({"error": {"message": message}}, status=400)
