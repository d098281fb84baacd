"""The part of OpenAI's Realtime API that a call needs, over the demo's models.

Ears, policy and voice stand behind it, but a client sees speech in and speech out: the server finds
the caller's turns itself, answers each unasked, and stops where it is interrupted.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web
from livekit import rtc
from livekit.agents import inference, vad

from tests.live.agents import models
from tests.live.agents.conversation import Conversation, JsonObject, called, heard, spoken
from tests.live.agents.rest import THINK_S, resample

SAMPLE_RATE_HZ = 24_000
DELTA_SAMPLES = SAMPLE_RATE_HZ // 5


async def connect(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    session = Session(socket)
    try:
        await session.open()
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await session.take(json.loads(message.data))
    finally:
        await session.close()
    return socket


class Session:
    """One client's session."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._conversation = Conversation()
        self._settings: JsonObject = {}
        self._turns: JsonObject = {}
        self._ear: vad.VADStream | None = None
        self._listening: asyncio.Task[None] | None = None
        self._understanding: asyncio.Task[str] | None = None
        self._answering: asyncio.Task[None] | None = None
        self._takes: Mapping[str, Callable[[JsonObject], Any]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "conversation.item.create": self._create_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.truncate": self._truncate_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    async def open(self) -> None:
        await self._send("session.created", session={"type": "realtime", "object": "session"})

    async def close(self) -> None:
        tasks = [self._listening, self._understanding, self._answering]
        for task in tasks:
            if task is not None:
                task.cancel()
        ended = await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)
        if self._ear is not None:
            await self._ear.aclose()
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure

    async def take(self, event: JsonObject) -> None:
        """One of the client's events. What is not understood is answered with an error."""
        take = self._takes.get(event["type"])
        try:
            if take is None:
                raise ValueError(f"{event['type']} is not served")
            await take(event)
        except ValueError as error:
            what = {"type": "invalid_request_error", "code": None, "param": None}
            told = {**what, "message": str(error), "event_id": event.get("event_id")}
            await self._send("error", error=told)

    async def _update(self, event: JsonObject) -> None:
        self._settings |= event["session"]
        audio = event["session"].get("audio") or {}
        turns = (audio.get("input") or {}).get("turn_detection")
        if turns is not None:
            if turns["type"] != "server_vad":
                raise ValueError(f"turn detection {turns['type']} is not served")
            self._turns = turns
        await self._send("session.updated", session=self._settings)

    async def _append(self, event: JsonObject) -> None:
        if self._ear is None:
            silence_ms = self._turns.get("silence_duration_ms") or 500
            self._ear = inference.VAD(min_silence_duration=silence_ms / 1000).stream()
            self._listening = asyncio.create_task(self._listen(self._ear))
        data = base64.b64decode(event["audio"])
        self._ear.push_frame(rtc.AudioFrame(data, SAMPLE_RATE_HZ, 1, len(data) // 2))

    async def _listen(self, ear: vad.VADStream) -> None:
        """The caller's turns: each is an item, and is answered."""
        item_id = ""
        async for event in ear:
            at_ms = round(event.timestamp * 1000)
            if event.type == vad.VADEventType.START_OF_SPEECH:
                item_id = self._new("item")
                await self._send(
                    "input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=at_ms
                )
                if self._turns.get("interrupt_response") is not False:
                    await self._stop_answering("turn_detected")
            elif event.type == vad.VADEventType.END_OF_SPEECH:
                await self._send(
                    "input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=at_ms
                )
                await self._send("input_audio_buffer.committed", item_id=item_id)
                await self._add(heard(item_id))
                self._understanding = asyncio.create_task(self._understand(item_id, event.frames))
                if self._turns.get("create_response") is not False:
                    await self._start_answering({})

    async def _understand(self, item_id: str, frames: list[rtc.AudioFrame]) -> str:
        frame = rtc.combine_audio_frames(frames)
        pcm = resample(np.frombuffer(frame.data, np.int16), frame.sample_rate, models.EAR_HZ)
        transcript = await asyncio.to_thread(models.transcribe, pcm)
        self._conversation.understand(item_id, transcript)
        await self._send(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=transcript,
            usage={"type": "duration", "seconds": frame.duration},
        )
        return transcript

    async def _create_item(self, event: JsonObject) -> None:
        item = event["item"]
        await self._add({"id": self._new("item"), **item}, event.get("previous_item_id"))

    async def _delete_item(self, event: JsonObject) -> None:
        self._conversation.remove(event["item_id"])
        await self._send("conversation.item.deleted", item_id=event["item_id"])

    async def _truncate_item(self, event: JsonObject) -> None:
        place = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
        await self._send("conversation.item.truncated", **place)

    async def _create_response(self, event: JsonObject) -> None:
        if self._answering is not None and not self._answering.done():
            raise ValueError("the conversation already has an active response")
        await self._start_answering(event.get("response") or {})

    async def _cancel_response(self, event: JsonObject) -> None:
        if not await self._stop_answering("client_cancelled"):
            raise ValueError("Cancellation failed: no active response found")

    async def _start_answering(self, asked: JsonObject) -> None:
        await self._stop_answering("turn_detected")
        self._answering = asyncio.create_task(self._answer(self._new("resp"), asked))

    async def _stop_answering(self, reason: str) -> bool:
        """Whether there was something to stop."""
        task = self._answering
        if task is None or task.done():
            return False
        task.cancel(reason)
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return True

    async def _answer(self, response_id: str, asked: JsonObject) -> None:
        response: JsonObject = {
            "id": response_id,
            "object": "realtime.response",
            "status": "in_progress",
            "output": [],
            "metadata": asked.get("metadata"),
        }
        await self._send("response.created", response=response)
        try:
            if self._understanding is not None:
                await asyncio.shield(self._understanding)
            await asyncio.sleep(THINK_S)
            reply = await asyncio.to_thread(models.answer, self._items(asked), self._tools())
            if reply.text:
                await self._say(response, reply.text)
            if reply.call is not None:
                item = called(self._new("item"), reply.call.tool, reply.call.arguments)
                await self._begin(response, item | {"arguments": ""})
                await self._finish(response, item)
        except asyncio.CancelledError as stopped:
            reason = str(stopped)
            details = {"type": "cancelled", "reason": reason}
            response |= {"status": "cancelled", "status_details": details}
            await self._send("response.done", response=response)
            raise
        await self._send("response.done", response=response | {"status": "completed"})

    def _items(self, asked: JsonObject) -> list[Any]:
        told = [self._settings.get("instructions") or ""]
        items = self._conversation.as_items(told)
        if asked.get("instructions"):
            # The session's own come first in it.
            items.append(models.Told(asked["instructions"].splitlines()[-1]))
        return items

    def _tools(self) -> list[str]:
        return [tool["name"] for tool in self._settings.get("tools") or []]

    async def _say(self, response: JsonObject, text: str) -> None:
        item = spoken(self._new("item"), text)
        await self._begin(response, item | {"content": []})
        place = {"response_id": response["id"], "item_id": item["id"], "output_index": 0}
        place["content_index"] = 0
        part = {"type": "audio", "transcript": ""}
        await self._send("response.content_part.added", **place, part=part)
        for sentence in models.sentences(text):
            pcm = await asyncio.to_thread(models.speak, sentence)
            await self._send("response.output_audio_transcript.delta", **place, delta=sentence)
            for start in range(0, len(pcm), DELTA_SAMPLES):
                piece = pcm[start : start + DELTA_SAMPLES].tobytes()
                delta = base64.b64encode(piece).decode()
                await self._send("response.output_audio.delta", **place, delta=delta)
        await self._send("response.output_audio.done", **place)
        await self._send("response.output_audio_transcript.done", **place, transcript=text)
        part = {"type": "audio", "transcript": text}
        await self._send("response.content_part.done", **place, part=part)
        await self._finish(response, item)

    async def _begin(self, response: JsonObject, item: JsonObject) -> None:
        item = item | {"status": "in_progress"}
        place = {"response_id": response["id"], "output_index": len(response["output"])}
        await self._send("response.output_item.added", **place, item=item)
        await self._add(item)

    async def _finish(self, response: JsonObject, item: JsonObject) -> None:
        place = {"response_id": response["id"], "output_index": len(response["output"])}
        response["output"].append(item)
        self._conversation.complete(item)
        await self._send("response.output_item.done", **place, item=item)

    async def _add(self, item: JsonObject, after: str | None = None) -> None:
        before = self._conversation.add(item, after)
        await self._send("conversation.item.added", previous_item_id=before, item=item)

    def _new(self, kind: str) -> str:
        return f"{kind}_{id(self):x}_{next(self._numbers)}"

    async def _send(self, kind: str, **rest: Any) -> None:
        # A client that has hung up is told nothing more.
        with contextlib.suppress(ConnectionError):
            await self._socket.send_json({"type": kind, "event_id": self._new("event"), **rest})
