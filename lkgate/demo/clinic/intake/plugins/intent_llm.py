"""The agent's "LLM": an intent model with a dialogue policy, behind LiveKit's LLM interface.

It is not a language model: see intake.dialogue and intake.intents. It answers as one does: it reads
the chat context and the tools it was given, thinks a little, then streams words and tool calls.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Never

from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    NotGivenOr,
    llm,
    utils,
)

from intake.dialogue import Dialogue, Heard, Item, Reply, Returned, Told

THINK_S = 0.12
WORD_S = 0.015


class IntentLLM(llm.LLM[Never]):
    """``phrases``: see intake.dialogue.Dialogue."""

    def __init__(self, phrases: Mapping[str, str]) -> None:
        super().__init__()
        self._dialogue = Dialogue(phrases)

    @property
    def model(self) -> str:
        return "intent-tfidf-1"

    @property
    def provider(self) -> str:
        return "clinic"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        return _IntentStream(
            self,
            self._dialogue,
            chat_ctx=chat_ctx,
            tools=tools or [],
            conn_options=conn_options,
        )


class _IntentStream(llm.LLMStream):
    def __init__(
        self,
        model: IntentLLM,
        dialogue: Dialogue,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        conn_options: APIConnectOptions,
    ) -> None:
        super().__init__(model, chat_ctx=chat_ctx, tools=tools, conn_options=conn_options)
        self._dialogue = dialogue

    async def _run(self) -> None:
        reply = self._dialogue.reply(_items(self._chat_ctx), _tool_names(self._tools))
        request = utils.shortuuid("intent_")
        await asyncio.sleep(THINK_S)
        for delta in _deltas(reply):
            self._event_ch.send_nowait(llm.ChatChunk(id=request, delta=delta))
            await asyncio.sleep(WORD_S)
        words = len(reply.text.split()) + (len(reply.call.arguments) + 1 if reply.call else 0)
        prompt = sum(len((m.text_content or "").split()) for m in self._chat_ctx.messages())
        self._event_ch.send_nowait(
            llm.ChatChunk(
                id=request,
                usage=llm.CompletionUsage(
                    completion_tokens=words, prompt_tokens=prompt, total_tokens=prompt + words
                ),
            )
        )


def _deltas(reply: Reply) -> list[llm.ChoiceDelta]:
    words = reply.text.split()
    deltas = [
        llm.ChoiceDelta(role="assistant", content=word if i == len(words) - 1 else word + " ")
        for i, word in enumerate(words)
    ]
    if reply.call:
        call = llm.FunctionToolCall(
            name=reply.call.tool,
            arguments=json.dumps(dict(reply.call.arguments)),
            call_id=utils.shortuuid("call_"),
        )
        deltas.append(llm.ChoiceDelta(role="assistant", tool_calls=[call]))
    return deltas


def _items(chat_ctx: llm.ChatContext) -> list[Item]:
    items: list[Item] = []
    for item in chat_ctx.items:
        if item.type == "message" and item.role == "user" and item.text_content:
            items.append(Heard(item.text_content))
        elif item.type == "message" and item.role == "system" and item.text_content:
            items.append(Told(item.text_content))
        elif item.type == "function_call_output" and not item.is_error:
            items.append(Returned(item.name, item.output))
    return items


def _tool_names(tools: list[llm.Tool]) -> list[str]:
    return [tool.info.name for tool in tools if isinstance(tool, llm.FunctionTool)]
