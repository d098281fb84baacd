"""Function tools: what they returned, and standing in for them.

``response``: ``ending``, ``took_us``, and one of

- ``value``: JSON that was returned, or ``text``: what LiveKit made of another value; with
  ``reply_required`` if the tool said so (``ToolResult``);
- ``stop``: it raised ``StopResponse``;
- ``error``: it failed; ``ToolError`` with the text that the model was told;
- ``run``: the call cannot be answered by a text, and why: it returned an agent, or did to the
  session what cannot be done again (see :mod:`lkgate.harness.tape.acts`). In a replay a handoff is
  executed, and the others where the settings let them.

Besides: ``acts`` on the session, ``state`` that it changed, and ``lost``: state that it changed and
that cannot be written down (:mod:`lkgate.harness.tape.state`).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast, get_args, get_type_hints

from livekit.agents import Agent, StopResponse, ToolError, llm
from livekit.agents.llm.tool_context import CONFIRM_DUPLICATE_PARAM
from livekit.agents.voice import RunContext

from lkgate.cassette import Exchange, Sink
from lkgate.cassette.keys import Request
from lkgate.harness.tape import acts, plain, request
from lkgate.harness.tape.answers import Answers, Now, took_us
from lkgate.harness.tape.deck import FunctionTool, Stand
from lkgate.harness.tape.state import State, absent, apply
from lkgate.model.event import Json

Around = Callable[[], AbstractContextManager[object]]

# In livekit-agents 1.8.0 and older, no tool can say that its output needs no reply.
_ToolResult: Any = getattr(llm, "ToolResult", None)
_OWN = "livekit.agents."
_NOT_OWN = ("livekit.agents.llm.mcp",)
_RETURNS_AGENT = "returns an agent"
_HANDOFFS = (_RETURNS_AGENT, "AgentSession.update_agent")
_TEXTS = (str, int, float, bool, complex, list, set, frozenset, tuple, dict)


def is_plumbing(tool: FunctionTool) -> bool:
    """Tools of LiveKit's own: ending the call, DTMF, its ready-made tasks.

    They work on the session and on nothing else: they are executed unless refused by name.
    """
    module = str(getattr(tool._func, "__module__", ""))
    return module.startswith(_OWN) and not module.startswith(_NOT_OWN)


def hands_over(tool: FunctionTool) -> bool:
    """Whether the tool says of itself that it returns nothing but agents."""
    try:
        returns = get_type_hints(tool._func).get("return")
    except (NameError, TypeError, AttributeError):
        return False  # annotations that cannot be resolved say nothing
    return returns is not None and _is_agent(returns)


def handed_over(exchange: Exchange) -> bool:
    """Whether the recorded call made another agent the one who speaks."""
    return any(reason in _HANDOFFS for reason in str(exchange.response.get("run")).split(", "))


def call_of(name: str, arguments: dict[str, Any]) -> Request:
    """The request of a call, without LiveKit's own flag."""
    return request.of_tool(
        name, {key: value for key, value in arguments.items() if key != CONFIRM_DUPLICATE_PARAM}
    )


def executed(tool: FunctionTool, *, around: Around) -> Stand:
    """A stand-in that executes the tool within ``around``."""

    async def stand(*args: Any, **kwargs: Any) -> object:
        with around():
            return await tool(*args, **kwargs)

    setattr(stand, _SIGNATURE, inspect.signature(tool))
    return stand


def recorded(
    tool: FunctionTool,
    context: RunContext[Any],
    call: Request,
    *,
    sink: Sink,
    now_us: Now,
    around: Around = nullcontext,
) -> Stand:
    """A stand-in that executes the tool within ``around`` and keeps what came of it."""

    async def stand(*args: Any, **kwargs: Any) -> object:
        began_us = now_us()
        response: dict[str, Json] = {"ending": "cancelled"}
        state = State(tool, context)
        with acts.watched(now_us) as seen:
            try:
                with around():
                    output = await tool(*args, **kwargs)
                response = {"ending": "done", **_output(output)}
                return output
            except asyncio.CancelledError:
                raise
            except StopResponse:
                response = {"ending": "done", "stop": True}
                raise
            except Exception as error:
                # Whatever the tool raised is its answer; it goes on to LiveKit.
                response = {"ending": "error", "error": _error(error)}
                raise
            finally:
                if seen.beyond:
                    output_too = [str(response["run"])] if "run" in response else []
                    response["run"] = ", ".join(dict.fromkeys([*output_too, *seen.beyond]))
                changed, lost = state.changes()
                beside = {"acts": seen.done, "state": changed, "lost": list[Json](lost)}
                response |= {name: value for name, value in beside.items() if value}
                sink.add("tool", began_us, call, {**response, "took_us": now_us() - began_us})

    # LiveKit passes a mock those arguments that its signature names.
    setattr(stand, _SIGNATURE, inspect.signature(tool))
    return stand


def played(
    exchange: Exchange,
    tool: FunctionTool,
    context: RunContext[Any],
    call: Request,
    answers: Answers,
) -> Stand:
    """A stand-in that gives the recorded outcome after the recorded time."""
    response = exchange.response

    async def stand() -> object:
        ends_us = answers.now_us() + took_us(exchange)
        done = response.get("acts")
        if isinstance(done, list):
            ends_us += await acts.again(done, context, answers)
        await answers.until(ends_us)
        changed = response.get("state")
        if isinstance(changed, list):
            apply(changed, tool, context)
        if exchange.ending == "cancelled":
            raise await answers.outlived("tool", exchange, call)
        if response.get("stop"):
            raise StopResponse
        if exchange.ending == "error":
            raise _error_from(response["error"])
        output = response["text"] if "text" in response else response["value"]
        if "reply_required" in response:
            if _ToolResult is None:
                reason = "this version of livekit-agents has no ToolResult, which it returned"
                raise ToolError(f"lkgate: {answers.missed('tool', call, reason).reason}")
            return _ToolResult(output, reply_required=bool(response["reply_required"]))
        return output

    return stand


def lost(exchange: Exchange, tool: FunctionTool, context: RunContext[Any]) -> list[Json]:
    """State that the call changed and a replay of it does not: not written down, or not here."""
    before, changed = exchange.response.get("lost"), exchange.response.get("state")
    names = list(before) if isinstance(before, list) else []
    if isinstance(changed, list):
        names += absent(changed, tool, context)
    return names


def refused(name: str, call: Request, answers: Answers, reason: str | None = None) -> Stand:
    """A stand-in for a call that may not be executed and that no recorded answer stands for."""

    async def stand() -> object:
        miss = answers.missed("tool", call, reason)
        raise ToolError(f"lkgate: {name} was not executed: {miss.reason}")

    return stand


def fixed(value: Json) -> Stand:
    """A stand-in that gives a value from the settings."""

    async def stand() -> object:
        return value

    return stand


_SIGNATURE = "__signature__"


def _output(output: object) -> dict[str, Json]:
    if _ToolResult is not None and isinstance(output, _ToolResult):
        return {**_output(output.output), "reply_required": output.reply_required}
    parts = output if isinstance(output, list | tuple | set | frozenset) else (output,)
    if any(isinstance(part, Agent) for part in parts):
        return {"run": _RETURNS_AGENT}
    if isinstance(output, tuple | set | frozenset):
        output = list(output)  # as LiveKit does
    if plain.is_exact(output):
        return {"value": cast(Json, output)}
    if isinstance(output, _TEXTS):
        return {"text": str(output)}
    return {"run": f"returns a {type(output).__name__}"}


def _error(error: Exception) -> dict[str, Json]:
    if isinstance(error, ToolError):
        return {"kind": "ToolError", "message": error.message}
    return plain.error(error)


def _error_from(value: Json) -> Exception:
    if isinstance(value, dict) and value.get("kind") == "ToolError":
        return ToolError(str(value["message"]))
    return plain.error_from(value)


def _is_agent(hint: object) -> bool:
    if isinstance(hint, type):
        return issubclass(hint, Agent)
    parts = [part for part in get_args(hint) if part is not type(None)]
    if getattr(hint, "__origin__", None) is tuple:
        return any(_is_agent(part) for part in parts)
    return bool(parts) and all(_is_agent(part) for part in parts)
