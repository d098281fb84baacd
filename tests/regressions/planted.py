"""The twelve: what was changed, and which layer is to be named for it."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.model.blame import FaultLayer

HUM = "hum"


@dataclass(frozen=True, slots=True)
class Planted:
    """One build of ``tests/programs/regressions``.

    Attributes:
        build: its name, and its file's.
        change: what a team would have called its change.
        layer: that it lies in.
        rule: of ``gate.yaml`` that has to fail.
        calls: that it is replayed with; the first one alone shows it.
        asks: models that a change of this kind has to ask again, with who answers.
    """

    build: str
    change: str
    layer: FaultLayer
    rule: str
    calls: tuple[str, ...]
    asks: tuple[str, ...] = ()


# A request that is not the recorded one is answered by the demo's own model, which is a rule and
# quick. What is said then lasts as long as the recorded voice would have taken.
_ASKS = ("llm=live", "tts=estimate")

PLANTED = (
    Planted(
        "endpointing_slower", "endpointing slower", "turn_taking", "response-latency",
        ("book", "barge-in"),
    ),
    Planted(
        "endpointing_too_quick", "endpointing too quick", "turn_taking", "tool-arguments",
        ("nurse",), _ASKS,
    ),
    Planted(
        "interruptions_off", "interruptions off", "turn_taking", "barge-ins-ignored",
        ("barge-in",), _ASKS,
    ),
    Planted(
        "false_interruptions_kept", "false interruptions not resumed", "turn_taking",
        "stopped-for-nothing", (HUM,), _ASKS,
    ),
    Planted(
        "tool_renamed", "tool renamed", "tool_schema", "tool-selection",
        ("book", "barge-in"), _ASKS,
    ),
    Planted(
        "wrong_argument", "wrong argument", "llm", "tool-arguments", ("book",), _ASKS,
    ),
    Planted(
        "no_confirmation", "tool before confirmation", "llm", "unconfirmed",
        ("book", "barge-in"), _ASKS,
    ),
    Planted(
        "extra_llm_retry", "extra LLM retry", "llm", "model-requests", ("book", "barge-in"),
    ),
    Planted(
        "longer_prompt", "longer prompt", "llm", "prompt-tokens", ("book", "barge-in"), _ASKS,
    ),
    Planted(
        "slower_speech", "slower speech", "tts", "speaking-rate", ("book",), ("tts=live",),
    ),
    Planted(
        "digits_dropped", "STT that drops digits", "stt", "numbers-misheard",
        ("book", "barge-in"), _ASKS,
    ),
    Planted(
        "wrong_handoff", "handoff to the wrong agent", "handoff", "handoffs", ("nurse",), _ASKS,
    ),
)  # fmt: skip
