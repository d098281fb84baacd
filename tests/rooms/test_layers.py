"""Builds that have no STT and no TTS, and sessions that say otherwise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lkgate.builds import lacking_layers
from lkgate.bundle import Journal, close_journal
from lkgate.errors import GateFileError
from lkgate.gate.load import parse
from lkgate.gate.metrics import SPECS
from lkgate.measure.registry import measure_all
from lkgate.measure.session import session_of
from lkgate.model.build import Build, Pipeline
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.rooms.layers import contradicted


def build(pipeline: Pipeline) -> Build:
    return Build(
        "voice", Path(sys.executable), None, None, (), Path(), {},
        command=("node", "agent.js"), pipeline=pipeline,
    )  # fmt: skip


def session(directory: Path, *used: str, absent: dict[str, Json] | None = None) -> Bundle:
    header: dict[str, Json] = {"id": "c", "source": "replay", "room": "r", "absent": absent or {}}
    journal = Journal.create(directory / "j", header=header)
    usage: list[Json] = [{"type": kind, "input_tokens": 1} for kind in used]
    journal.event(0, "session_usage_updated", {"identity": "bot", "usage": usage})
    journal.finish(duration_us=10)
    return close_journal(directory / "j", directory / "b")


@pytest.mark.parametrize("metric", sorted(SPECS))
def test_a_rule_on_a_layer_that_is_lacking_is_refused(metric: str) -> None:
    text = (
        "version: 1\nrules:\n"
        "  - {id: ok, metric: tool_errors, aggregate: sum, max: 0}\n"
        f"  - id: a\n    metric: {metric}\n    aggregate: count\n    max: 10\n"
    )
    assert len(parse(text, "g.yaml").rules) == 2
    lacking = lacking_layers(build("realtime"))
    layer = SPECS[metric].layer
    if layer not in ("stt", "tts"):
        assert len(parse(text, "g.yaml", lacking=lacking).rules) == 2
        return
    with pytest.raises(GateFileError) as error:
        parse(text, "g.yaml", lacking=lacking)
    assert str(error.value) == (
        f"g.yaml:5:13: `{metric}` is not applicable: build `voice` is speech to speech "
        f"(pipeline = realtime) and has no {layer.upper()}\n"
        "  Judge this build by a gate without the rule."
    )


def test_a_cascade_lacks_nothing() -> None:
    assert lacking_layers(build("cascade")) == {}


def test_metrics_of_a_layer_that_is_lacking_say_so(tmp_path: Path) -> None:
    reason = "not applicable: it has no TTS"
    bundle = session(tmp_path, "llm_usage", absent={"tts": reason})
    found = measure_all(session_of(bundle, None))
    assert (found["tts_ttfb"].value, found["tts_ttfb"].reason) == (None, reason)
    assert found["tts_ttfb"].missing
    assert found["llm_ttft"].reason != reason


@pytest.mark.parametrize(
    ("pipeline", "used", "says"),
    [
        ("cascade", ("llm_usage", "stt_usage", "tts_usage"), None),
        ("realtime", ("llm_usage",), None),
        ("realtime", ("llm", "stt"), None),
        ("realtime", (), None),
        (
            "realtime",
            ("llm_usage", "tts_usage"),
            "builds.voice.pipeline: build `voice` is declared as realtime, and its session used "
            "TTS\n  Take `pipeline` out: it is a cascade, and gates may judge those layers.",
        ),
    ],
)
def test_a_session_that_contradicts(
    tmp_path: Path, pipeline: Pipeline, used: tuple[str, ...], says: str | None
) -> None:
    found = contradicted(build(pipeline), session(tmp_path, *used))
    assert (None if found is None else str(found)) == says
