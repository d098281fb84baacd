"""What can be measured, as text, Markdown and JSON, all from the registry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from rich.text import Text

from lkgate.diff.registry import COMPARISONS
from lkgate.measure.registry import LAYERS, METRICS, metrics
from lkgate.model.measurement import Evidence, MetricSpec, Scope, Summary, Unit

_UNIT: Mapping[Unit, str] = {
    "us": "time (stored as microseconds)",
    "ratio": "share",
    "count": "count",
    "words": "words",
    "tokens": "tokens",
    "money": "money, in the price table's currency",
    "dB": "dB of full scale",
    "mos": "rating from 1 to 5",
}
_SCOPE: Mapping[Scope, str] = {"turn": "turn", "call": "call"}
_SUMMARY: Mapping[Summary, str] = {
    "median": "the median",
    "sum": "the sum",
    "max": "the largest",
    "rate": "the rate: amounts over weights",
}
_EVIDENCE: Mapping[Evidence, str] = {
    "caller_audio": "the caller's audio",
    "agent_audio": "the agent's audio",
    "arrival": "who came when",
    "media": "what the recorder lost",
    "session": "the agent's session events",
    "caller_transcript": "the caller's transcript",
    "agent_transcript": "the agent's words",
    "confidence": "the recogniser's confidence",
    "language": "the language that the recogniser heard",
    "media_quality": "the connection's statistics (live recordings)",
    "levels": "the audio itself",
    "speech_quality": "the audio itself, and the extra `quality`",
    "spoken": "the audio itself, and the extra `quality`",
    "synthesis": "a cassette of the voice",
    "job": "the agent's job (live recordings)",
    "replay": "a replay",
    "labels": "labels",
    "prices": "a table of prices",
    "caller_history": "the other recordings, and who called when",
    "baseline": "a baseline",
}
AGAINST = "Against the baseline"
PLUGINS = "Of plugins"


def groups(*, plugins: bool = True) -> dict[str, tuple[MetricSpec, ...]]:
    """Every metric by what it speaks about, in the order of the registry."""
    found = {title: tuple(one.spec for one in lines) for title, lines in LAYERS.items()}
    found[AGAINST] = tuple(entry.spec for entry in COMPARISONS.values())
    if plugins:
        own = tuple(one.spec for name, one in metrics().items() if name not in METRICS)
        if own:
            found[PLUGINS] = own
    return found


def table(found: Mapping[str, Sequence[MetricSpec]]) -> Text:
    """One line a metric: name, unit, which way is better, definition."""
    text = Text()
    width = max(len(spec.name) for specs in found.values() for spec in specs)
    for title, specs in found.items():
        text.append(f"{title}\n", style="bold")
        for spec in specs:
            text.append(f"  {spec.name:{width}}  ", style="cyan")
            text.append(f"{_short(spec.unit):6}  {_better(spec):6}  ", style="dim")
            text.append(f"{spec.doc}\n")
    return text


def entry(spec: MetricSpec) -> Text:
    """All that is known of one metric."""
    text = Text(f"{spec.name}\n", style="bold")
    for line in _facts(spec):
        text.append(f"  {line}\n", style="not bold")
    return text


def markdown() -> str:
    """The part of ``docs/metrics.md`` that is made from the registry, plugins left out."""
    lines: list[str] = []
    for title, specs in groups(plugins=False).items():
        lines += [f"### {title}", ""]
        for spec in specs:
            definition, *rest = _facts(spec)
            lines += [f"#### `{spec.name}`", "", definition, ""]
            lines += [f"- {line}" for line in rest]
            lines += [""]
    return "\n".join(lines)


def as_json(found: Mapping[str, Sequence[MetricSpec]]) -> str:
    """A list of metrics, each with all the fields of its spec and its group's title."""
    every = [{**asdict(spec), "group": title} for title, specs in found.items() for spec in specs]
    return json.dumps(every, indent=2, ensure_ascii=False)


def _facts(spec: MetricSpec) -> Iterator[str]:
    """The definition, then one sentence a fact."""
    yield spec.doc
    better = "neither way" if spec.direction == "none" else spec.direction
    yield f"Unit: {_UNIT[spec.unit]}. Better: {better}. Version {spec.version}."
    value = f"A value each {_SCOPE[spec.scope]}; of a call with several, {_SUMMARY[spec.summary]}."
    if spec.comparable:
        value += " Turns after a divergence from the baseline are left out."
    yield value
    yield f"Needs: {', '.join(_EVIDENCE[one] for one in spec.evidence)}."
    if spec.source:
        yield f"Formula: {spec.source}"
    if spec.misleads:
        yield f"How it misleads: {spec.misleads}"


def _better(spec: MetricSpec) -> str:
    return "-" if spec.direction == "none" else spec.direction


def _short(unit: Unit) -> str:
    return {"us": "time", "ratio": "share"}.get(unit, unit)
