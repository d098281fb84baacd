from __future__ import annotations

import re

import pytest

from lkgate.bundle import decode_labels
from lkgate.demo.make import calls
from lkgate.demo.make.voices import VOICES
from lkgate.errors import ConfigError

SCRIPTS = calls.read()


def test_the_calls_cover_what_the_demo_promises() -> None:
    by_scenario = {script.cohort["scenario"] for script in SCRIPTS}
    assert len(SCRIPTS) >= 9
    assert by_scenario >= {
        "book",
        "move",
        "look-up",
        "change-of-mind",
        "long-silence",
        "barge-in",
        "escalation",
        "handoff",
    }
    assert len({script.voice for script in SCRIPTS}) >= 5
    assert sum(script.noise is not None for script in SCRIPTS) >= 1
    assert max(sum(line.barge_in for line in script.lines) for script in SCRIPTS) == 2


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_gives_labels_that_a_bundle_takes(script: calls.Script) -> None:
    labels = decode_labels(script.labels().encode(), script.name)
    assert labels.caller == tuple(line.say for line in script.lines)
    assert labels.tools == script.tools
    assert labels.outcome == script.outcome
    assert labels.cohort["voice"] == script.voice
    assert script.voice in VOICES


def test_a_name_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=re.escape("there is no call 'bok'")):
        calls.read(("bok",))
