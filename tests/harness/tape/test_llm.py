"""Language models: chunks at their recorded pace, misses, cut answers, errors, retries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from livekit.agents import APIConnectionError, APIError, APIStatusError, function_tool, llm
from livekit.agents.types import APIConnectOptions

from tests.harness.tape.models import NO_RETRY, FakeLLM
from tests.harness.tape.stage import Stage

Said = list[tuple[int, Any]]
USAGE = llm.CompletionUsage(completion_tokens=3, prompt_tokens=10, total_tokens=13)


def context(*said: str) -> llm.ChatContext:
    chat = llm.ChatContext.empty()
    chat.add_message(role="system", content="You are brief.")
    for text in said:
        chat.add_message(role="user", content=text)
    return chat


def script(chat: llm.ChatContext) -> list[tuple[float, Any]]:
    text = chat.messages()[-1].text_content or ""
    if "book" in text:
        call = llm.FunctionToolCall(name="book", arguments='{"day": "Monday"}', call_id="call_7")
        return [(0.25, call), (0.0, USAGE)]
    return [(0.3, "You said "), (0.05, f"{text}."), (0.01, USAGE)]


async def ask(
    stage: Stage, model: llm.LLM[Any], *said: str, cut_s: float | None = None, **options: Any
) -> Said:
    """What the model says, with milliseconds since it was asked."""
    began_us = stage.now_us()
    heard: Said = []
    options.setdefault("conn_options", NO_RETRY)
    async with model.chat(chat_ctx=context(*said), **options) as stream:

        async def hear() -> None:
            async for chunk in stream:
                at_ms = round((stage.now_us() - began_us) / 1_000)
                if chunk.usage is not None:
                    heard.append((at_ms, chunk.usage.total_tokens))
                elif chunk.delta is not None and chunk.delta.tool_calls:
                    heard.append((at_ms, chunk.delta.tool_calls[0].call_id))
                elif chunk.delta is not None:
                    heard.append((at_ms, chunk.delta.content))

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hear(), cut_s)
    return heard


def test_an_answer_comes_again_as_it_came(stage: Stage) -> None:
    model = FakeLLM(script)
    metrics: list[tuple[float, int]] = []
    model.on("metrics_collected", lambda m: metrics.append((m.total_tokens, m.cancelled)))

    async def main() -> list[Said]:
        return [await ask(stage, model, "hello"), await ask(stage, model, "book it")]

    live = stage.record(main)
    assert live == [
        [(300, "You said "), (350, "hello."), (360, 13)],
        [(250, "call_7"), (250, 13)],
    ]
    assert stage.replay(main) == live
    assert model.asked == 2
    assert metrics == [(13, False)] * 4
    assert [note["origin"] for note in stage.notes] == ["recorded", "recorded"]
    assert stage.misses == []


def test_the_same_answer_given_twice_has_two_call_ids(stage: Stage) -> None:
    model = FakeLLM(script)

    async def once() -> Said:
        return await ask(stage, model, "book it")

    async def twice() -> list[Said]:
        return [await once(), await once()]

    stage.record(once)
    assert [said[0][1] for said in stage.replay(twice)] == ["call_7", "call_7_2"]


def test_requests_with_one_key_get_their_answers_in_turn(stage: Stage) -> None:
    answers = iter(["one", "two"])
    model = FakeLLM(lambda _: [(0.1, next(answers))])

    async def ask_times(n: int) -> list[Any]:
        return [(await ask(stage, model, "again"))[0][1] for _ in range(n)]

    assert stage.record(lambda: ask_times(2)) == ["one", "two"]
    assert stage.replay(lambda: ask_times(3)) == ["one", "two", "two"]


def test_a_miss_is_told_once_and_not_tried_again(stage: Stage) -> None:
    model = FakeLLM(script)
    errors: list[bool] = []

    async def main() -> None:
        await ask(stage, model, "I would like to come on Monday please")

    async def other() -> int:
        model.on("error", lambda error: errors.append(error.recoverable))
        with pytest.raises(APIError, match="holds no LLM exchange with this request"):
            options = APIConnectOptions(max_retry=3)
            await ask(stage, model, "I would like to come on Tuesday please", conn_options=options)
        return stage.now_us()

    stage.record(main)
    assert stage.replay(other) < 1_000
    (miss,) = stage.misses
    assert miss.difference == ("user: I would like to come on [-Monday-] {+Tuesday+} please")
    assert miss.asked == (
        "model fake/scripted-1\n"
        "2 messages, 0 tools; the last:\n"
        "system: You are brief.\n"
        "user: I would like to come on Tuesday please"
    )
    assert (errors, model.asked) == ([False], 1)


def test_tools_and_tool_choice_are_part_of_the_request(stage: Stage) -> None:
    @function_tool
    async def book(day: str) -> str:
        """Book a day.

        Args:
            day: which one
        """
        return day

    model = FakeLLM(script)

    async def main(**options: Any) -> Said:
        return await ask(stage, model, "hello", **options)

    stage.record(lambda: main(tools=[book]))
    assert stage.replay(lambda: main(tools=[book]))
    assert stage.replay(lambda: main(tools=[book], tool_choice="auto"))
    for options in ({}, {"tools": [book], "tool_choice": "required"}):
        with pytest.raises(APIError):
            stage.replay(lambda options=options: main(**options))  # type: ignore[misc]
    assert stage.misses[0].difference == 'tool choice [-"auto"-] {+"required"+}'


def test_a_cut_answer_prefers_its_whole_sibling(stage: Stage) -> None:
    model = FakeLLM(script)

    async def recorded() -> None:
        assert await ask(stage, model, "hello", cut_s=0.31) == [(300, "You said ")]
        await ask(stage, model, "hello")

    async def replayed() -> list[Said]:
        return [await ask(stage, model, "hello"), await ask(stage, model, "hello", cut_s=0.2)]

    stage.record(recorded)
    assert stage.replay(replayed) == [[(300, "You said "), (350, "hello."), (360, 13)], []]


def test_a_cut_answer_that_is_cut_again_is_no_miss(stage: Stage) -> None:
    model = FakeLLM(script)

    async def cut(after_s: float) -> Said:
        return await ask(stage, model, "hello", cut_s=after_s)

    stage.record(lambda: cut(0.31))
    assert stage.replay(lambda: cut(0.36)) == [(300, "You said ")]
    assert stage.misses == []


def test_a_cut_answer_that_is_needed_whole_is_a_miss(stage: Stage) -> None:
    model = FakeLLM(script)

    async def cut(after_s: float | None) -> Said:
        return await ask(stage, model, "hello", cut_s=after_s)

    stage.record(lambda: cut(0.31))
    with pytest.raises(APIError):
        stage.replay(lambda: cut(None))
    assert stage.misses[0].reason == (
        "its only recorded answer was cut short after 0.31 s, and now it was needed for longer"
    )
    assert stage.misses[0].difference is None


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (APIStatusError("busy", status_code=503), APIStatusError),
        (APIConnectionError("gone"), APIConnectionError),
        (ValueError("odd"), RuntimeError),
    ],
)
def test_errors_are_answers_too(stage: Stage, raised: Exception, kind: type[Exception]) -> None:
    model = FakeLLM(lambda _: [(0.1, "well"), (0.1, raised)])

    async def main() -> tuple[int, str]:
        with pytest.raises(Exception) as caught:
            await ask(stage, model, "hello")
        return round(stage.now_us() / 1_000), type(caught.value).__name__

    assert stage.record(main)[0] == 200
    assert stage.replay(main) == (200, kind.__name__)


def test_retries_are_exchanges_of_their_own(stage: Stage) -> None:
    attempts: Iterator[list[tuple[float, Any]]] = iter(
        [[(0.1, APIConnectionError("gone"))], [(0.2, "well")]]
    )
    model = FakeLLM(lambda _: next(attempts))

    async def main() -> Said:
        options = APIConnectOptions(max_retry=1)
        return await ask(stage, model, "hello", conn_options=options)

    assert stage.record(main) == [(400, "well")]
    assert stage.replay(main) == [(400, "well")]
    assert [found.ending for found in stage.recorded().exchanges] == ["error", "done"]


def test_wrappers_are_not_taped_but_what_they_wrap(stage: Stage) -> None:
    first = FakeLLM(lambda _: [(0.1, APIConnectionError("gone"))], model="first")
    second = FakeLLM(script, model="second")

    async def main() -> Said:
        both = llm.FallbackAdapter([first, second], max_retry_per_llm=0)
        return await ask(stage, both, "hello")

    live = stage.record(main)
    assert [said[1] for said in live[:2]] == ["You said ", "hello."]
    models = {str(found.request["model"]) for found in stage.recorded().exchanges}
    assert models == {"fake/first", "fake/second"}
    asked = second.asked
    assert stage.replay(main) == live
    assert second.asked == asked


def test_record_asks_what_is_missing_and_replays_clean(stage: Stage) -> None:
    model = FakeLLM(script)

    async def main() -> list[Any]:
        return [(await ask(stage, model, text))[1][1] for text in ("hello", "hello", "bye")]

    stage.record(lambda: ask(stage, model, "hello"))
    model.asked = 0
    assert stage.replay(main, mode="record") == ["hello.", "hello.", "bye."]
    assert model.asked == 1
    assert [note["origin"] for note in stage.notes] == ["recorded", "recorded", "live"]
    index = stage.cassette / "index.jsonl"
    added = (stage.directory / "new" / "index.jsonl").read_text()
    index.write_text(index.read_text() + added)
    assert stage.replay(main) == ["hello.", "hello.", "bye."]
    assert (model.asked, stage.misses) == (1, [])


def test_live_always_asks(stage: Stage) -> None:
    model = FakeLLM(script)
    stage.record(lambda: ask(stage, model, "hello"))
    stage.replay(lambda: ask(stage, model, "hello"), mode="live")
    assert model.asked == 2
    assert not (stage.directory / "new").exists()


def test_nothing_is_warmed_up_for_a_cassette(stage: Stage) -> None:
    async def main() -> int:
        model = FakeLLM(script)
        model.prewarm()
        return model.warmed

    assert stage.replay(main) == 0
    assert stage.replay(main, mode="record") == 1
