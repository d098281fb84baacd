"""A caller plan as JSON: how it travels from the parent to the candidate's interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from lkgate.model.bundle import Span
from lkgate.model.event import Json
from lkgate.model.plan import Anchor, AnchorKind, CallerPlan, Pacing, PlannedUtterance


def encode_plan(plan: CallerPlan) -> dict[str, Json]:
    """The plan as plain JSON, the dataclass' own field names."""
    return {
        "sample_rate_hz": plan.sample_rate_hz,
        "offset_us": plan.offset_us,
        "utterances": [
            {
                "index": said.index,
                "span": {"start_us": said.span.start_us, "end_us": said.span.end_us},
                "anchor": {
                    "kind": said.anchor.kind,
                    "delay_us": said.anchor.delay_us,
                    "agent_segments": said.anchor.agent_segments,
                    "grace_us": said.anchor.grace_us,
                    "while_busy": said.anchor.while_busy,
                },
            }
            for said in plan.utterances
        ],
        "hangup_after_us": plan.hangup_after_us,
        "pacing": plan.pacing,
        "patience_us": plan.patience_us,
        "identity": plan.identity,
        "attributes": dict(plan.attributes),
        "closing_segments": plan.closing_segments,
    }


def decode_plan(data: Mapping[str, Json]) -> CallerPlan:
    """The inverse of :func:`encode_plan`.

    Raises:
        ValueError: a field is absent or of the wrong type.
    """
    pacing = _text(data, "pacing")
    if pacing not in get_args(Pacing):
        raise ValueError(f"no such pacing: {pacing}")
    return CallerPlan(
        sample_rate_hz=_int(data, "sample_rate_hz"),
        offset_us=_int(data, "offset_us"),
        utterances=tuple(_utterance(item) for item in _list(data, "utterances")),
        hangup_after_us=_int(data, "hangup_after_us"),
        pacing=cast(Pacing, pacing),
        patience_us=_int(data, "patience_us"),
        identity=_text(data, "identity"),
        attributes={key: str(value) for key, value in _object(data, "attributes").items()},
        closing_segments=_int(data, "closing_segments"),
    )


def _utterance(item: Json) -> PlannedUtterance:
    if not isinstance(item, dict):
        raise ValueError(f"an utterance is an object, not {item!r}")
    span, anchor = _object(item, "span"), _object(item, "anchor")
    kind = _text(anchor, "kind")
    if kind not in get_args(AnchorKind):
        raise ValueError(f"no such anchor: {kind}")
    return PlannedUtterance(
        index=_int(item, "index"),
        span=Span(_int(span, "start_us"), _int(span, "end_us")),
        anchor=Anchor(
            kind=cast(AnchorKind, kind),
            delay_us=_int(anchor, "delay_us"),
            agent_segments=_int(anchor, "agent_segments"),
            grace_us=_int(anchor, "grace_us"),
            while_busy=anchor.get("while_busy") is True,
        ),
    )


def _int(data: Mapping[str, Json], key: str) -> int:
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} is an integer, not {value!r}")
    return value


def _text(data: Mapping[str, Json], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is a string, not {value!r}")
    return value


def _list(data: Mapping[str, Json], key: str) -> list[Json]:
    value = data.get(key)
    if not isinstance(value, list):
        raise ValueError(f"{key} is a list, not {value!r}")
    return value


def _object(data: Mapping[str, Json], key: str) -> dict[str, Json]:
    value = data.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"{key} is an object, not {value!r}")
    return value
