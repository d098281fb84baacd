"""LiveKit's judges, asked through an LLM plugin. Needs livekit-agents, and the plugin's own key."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from lkgate.config import JudgeEntry
from lkgate.errors import ConfigError
from lkgate.judge.conversation import Called, Conversation, Handed, Said
from lkgate.model.judgement import Vote

if TYPE_CHECKING:
    from livekit.agents.evals import Evaluator
    from livekit.agents.llm import LLM, ChatContext
    from livekit.agents.metrics import LLMMetrics


class RefusedError(Exception):
    """The model did not give a vote; its own words say why."""


class Provider(Protocol):
    """Whoever answers a judge's questions."""

    def vote(self, conversation: Conversation) -> Vote:
        """Ask once.

        Raises:
            RefusedError: there is no answer, or none that is a vote.
        """


class Plugin:
    """An LLM plugin behind one judge, for use in ``with``.

    Args:
        judge: names the class.

    Raises:
        ConfigError: livekit-agents or the plugin is not here, or does not accept its arguments.
    """

    def __init__(self, judge: JudgeEntry) -> None:
        self._judge = judge
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._tokens = 0
        self._evaluator = _evaluator(judge)
        try:
            self._llm = self._runner.run(self._open())
        except BaseException:
            self._runner.close()
            raise

    def __enter__(self) -> Plugin:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()

    def vote(self, conversation: Conversation) -> Vote:
        return self._runner.run(self._vote(conversation))

    async def _open(self) -> LLM[Any]:
        from livekit.agents.utils import http_context

        # Some plugins take their HTTP session from the job that they run in: this is ours.
        await self._stack.enter_async_context(http_context.open())
        made = _llm(self._judge)
        made.on("metrics_collected", self._count)
        self._stack.push_async_callback(made.aclose)
        return made

    def _count(self, metrics: LLMMetrics) -> None:
        self._tokens += metrics.total_tokens

    async def _vote(self, conversation: Conversation) -> Vote:
        self._tokens = 0
        try:
            result = await self._evaluator.evaluate(
                chat_ctx=_context(self._judge, conversation), llm=self._llm
            )
        except Exception as error:
            # A plugin raises what its provider's library raises.
            raise RefusedError(f"{type(error).__name__}: {error}") from error
        if result.verdict not in ("pass", "fail", "maybe"):
            raise RefusedError(f"its verdict is {result.verdict!r}")
        return Vote(
            verdict=result.verdict,
            reasoning=result.reasoning,
            criteria=result.instructions,
            model=f"{self._llm.provider}/{self._llm.model}",
            agents=version("livekit-agents"),
            tokens=self._tokens or None,
        )


def _evaluator(judge: JudgeEntry) -> Evaluator:
    try:
        from livekit.agents import evals
        from livekit.agents.evals.judge import _LLMJudge
    except ImportError as error:
        raise ConfigError(
            f"to ask the judge `{judge.name}`, livekit-agents is needed here, and it is not "
            "installed",
            where=judge.where,
            next_step="python -m pip install 'lkgate[judge]', and the plugin of its model. "
            "What it has said before needs neither.",
        ) from error
    if judge.kind == "own":
        assert judge.instructions is not None  # the settings were checked
        return _LLMJudge(name=judge.name, instructions=judge.instructions)
    makers: dict[str, Callable[[], Evaluator]] = {
        "task_completion": evals.task_completion_judge,
        "accuracy": evals.accuracy_judge,
        "tool_use": evals.tool_use_judge,
        "handoff": evals.handoff_judge,
        "safety": evals.safety_judge,
        "relevancy": evals.relevancy_judge,
        "coherence": evals.coherence_judge,
        "conciseness": evals.conciseness_judge,
    }
    return makers[judge.kind]()


def _llm(judge: JudgeEntry) -> LLM[Any]:
    from livekit.agents.llm import LLM

    module, _, name = judge.llm.partition(":")
    try:
        found: object = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the judge `{judge.name}` names {judge.llm}, which is not here: {error}",
            where=judge.where,
            next_step="Install the plugin in lkgate's environment, or mend `llm`.",
        ) from error
    if not (isinstance(found, type) and issubclass(found, LLM)):
        raise ConfigError(
            f"{judge.llm} is no LLM of livekit.agents", where=judge.where, next_step=None
        )
    try:
        return found(**dict(judge.arguments))
    except Exception as error:
        # Without a key, a plugin refuses to be made, each in its own way.
        raise ConfigError(
            f"{judge.llm} cannot be made: {type(error).__name__}: {error}",
            where=judge.where,
            next_step="Set the variable that holds its key, or mend `arguments`.",
        ) from error


def _context(judge: JudgeEntry, conversation: Conversation) -> ChatContext:
    from livekit.agents.llm import (
        AgentConfigUpdate,
        AgentHandoff,
        ChatContext,
        FunctionCall,
        FunctionCallOutput,
    )

    context = ChatContext()
    if judge.kind == "task_completion" and judge.instructions is not None:
        context.items.append(AgentConfigUpdate(instructions=judge.instructions))
    for at, item in enumerate(conversation):
        if isinstance(item, Said):
            context.add_message(
                role="user" if item.role == "caller" else "assistant",
                content=item.text,
                interrupted=item.interrupted,
            )
        elif isinstance(item, Handed):
            context.items.append(AgentHandoff(old_agent_id=item.old, new_agent_id=item.new))
        elif isinstance(item, Called):
            call_id = f"call_{at}"
            context.items.append(
                FunctionCall(call_id=call_id, name=item.tool, arguments=item.arguments)
            )
            context.items.append(
                FunctionCallOutput(
                    call_id=call_id, name=item.tool, output=item.output, is_error=item.is_error
                )
            )
    return context
