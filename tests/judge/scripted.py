"""A language model that is a few lines: a real LLM of livekit.agents, as a plugin is one."""

from __future__ import annotations

import json
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, llm

ASKED: list[str] = []
"""Everything that any of them was asked, in order."""


class Scripted(llm.LLM[Any]):
    """Fails a conversation in which one of ``words`` stands.

    Args:
        counts: whether it says how many tokens it took: one for each letter that it was shown.
        turns: that the second vote, and every other after it, is the opposite of the first.
        says: instead of a vote.
        key: refuses to be made without one, as a provider's plugin does.
    """

    def __init__(
        self,
        *,
        words: str = "nothing",
        counts: bool = True,
        turns: bool = False,
        says: str | None = None,
        key: bool = True,
    ) -> None:
        super().__init__()
        if not key:
            raise ValueError("api_key is required, either as argument or set SCRIPTED_API_KEY")
        self.words = words
        self.counts = counts
        self.turns = turns
        self.says = says
        self.asked = 0

    @property
    def model(self) -> str:
        return "scripted-1"

    @property
    def provider(self) -> str:
        return "tests"

    def chat(self, *, chat_ctx: llm.ChatContext, **kwargs: Any) -> llm.LLMStream:
        tools: list[llm.Tool] = kwargs.get("tools") or []
        options: APIConnectOptions = kwargs.get("conn_options", DEFAULT_API_CONNECT_OPTIONS)
        return _Answer(self, chat_ctx=chat_ctx, tools=tools, conn_options=options)


class _Answer(llm.LLMStream):
    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, Scripted)
        last = self._chat_ctx.items[-1]
        assert isinstance(last, llm.ChatMessage)
        shown = last.text_content or ""
        ASKED.append(shown)
        model.asked += 1
        delta = llm.ChoiceDelta(role="assistant")
        if model.says is not None:
            delta.content = model.says
        else:
            bad = model.words in shown
            if model.turns and model.asked % 2 == 0:
                bad = not bad
            said = {"verdict": "fail" if bad else "pass", "reasoning": f"vote {model.asked}"}
            call = llm.FunctionToolCall(
                name="submit_verdict", arguments=json.dumps(said), call_id="c-1"
            )
            delta.tool_calls = [call]
        self._event_ch.send_nowait(llm.ChatChunk(id="r-1", delta=delta))
        if model.counts:
            n = len(shown)
            usage = llm.CompletionUsage(completion_tokens=0, prompt_tokens=n, total_tokens=n)
            self._event_ch.send_nowait(llm.ChatChunk(id="r-1", usage=usage))
