"""Speech-to-speech models cannot be answered from a cassette."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from livekit.agents import llm

from lkgate.cassette import Part, merge
from lkgate.errors import ReplayError
from lkgate.harness import tape
from lkgate.harness.tape import deck
from lkgate.harness.tape.recorder import Recorder
from tests.harness.tape.stage import Stage


class Talker(llm.RealtimeModel):
    def __init__(self) -> None:
        super().__init__(
            capabilities=llm.RealtimeCapabilities(
                message_truncation=False,
                turn_detection=True,
                user_transcription=True,
                auto_tool_reply_generation=False,
                audio_output=True,
                manual_function_calls=False,
            )
        )

    def session(self, *, turn_detection_disabled: bool = False) -> llm.RealtimeSession[Any]:
        raise NotImplementedError

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("mode", ["cassette", "record", "live"])
def test_a_replay_refuses_one(stage: Stage, mode: tape.Mode) -> None:
    async def main() -> None:
        Talker().session()

    with pytest.raises(ReplayError) as caught:
        stage.replay(main, mode=mode)
    assert str(caught.value) == (
        "a realtime (speech-to-speech) build cannot be replayed yet: tests.harness.tape."
        "test_realtime.Talker answers audio with audio, which no cassette can hold\n"
        "  Replay a build that hears, thinks and speaks with models of their own."
    )


def test_a_recording_says_that_one_took_part(tmp_path: Path) -> None:
    tape.install_seams()
    deck.insert(Recorder(Part(tmp_path, lambda: None), lambda: 0))
    try:
        with pytest.raises(NotImplementedError):
            Talker().session()
    finally:
        tape.reset()
    merged = merge(tmp_path, tmp_path / "out", started_at_unix_us=0, room=None)
    assert merged.unsupported == ("speech-to-speech model tests.harness.tape.test_realtime.Talker",)
    assert not (tmp_path / "out").exists()
