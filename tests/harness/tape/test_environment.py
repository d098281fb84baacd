from __future__ import annotations

from lkgate.harness.tape import provider_environment


def test_keys_are_given_only_where_there_are_none() -> None:
    given = provider_environment({"OPENAI_API_KEY": "mine", "DEEPGRAM_API_KEY": ""})
    assert "OPENAI_API_KEY" not in given
    assert given["DEEPGRAM_API_KEY"] == given["CARTESIA_API_KEY"] == "lkgate-no-key"
    assert len(given["LIVEKIT_API_SECRET"]) >= 32
