"""One session to read: who said what when, tools, interruptions, latencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from lkgate.measure.brief import brief
from lkgate.model.bundle import Bundle
from lkgate.model.measurement import Measurement
from lkgate.model.turn import Turn
from lkgate.report import words
from lkgate.report.inert import visible

# Of one text: what a quarter of an hour's speech has. `lkgate show --events` prints all of it.
LONGEST = 10_000

HEAD = (
    "time_to_first_audio",
    "response_latency",
    "end_of_turn_delay",
    "llm_ttft",
    "tts_ttfb",
    "barge_in_yield",
    "talk_over_ratio",
)


def render(
    bundle: Bundle, turns: tuple[Turn, ...], measurements: Mapping[str, Measurement]
) -> Text:
    """The whole session, ending in a newline."""
    text = Text()
    for line in _lines(bundle, turns, measurements):
        text.append_text(_inert(line)).append("\n")
    return text


def numbers(measurements: Mapping[str, Measurement]) -> Text:
    """Every measurement, a line each: the value of the call, or why there is none."""
    text = Text()
    for line in _numbers(measurements, tuple(measurements)):
        text.append_text(_inert(line)).append("\n")
    return text


def _inert(line: Text) -> Text:
    line.plain = visible(line.plain)
    return line


def _lines(
    bundle: Bundle, turns: tuple[Turn, ...], measurements: Mapping[str, Measurement]
) -> Iterator[Text]:
    manifest = bundle.manifest
    build = f", build {manifest.build.name}" if manifest.build else ""
    yield Text(f"{manifest.id}", style="bold").append(
        f": {manifest.source}, room {manifest.room}{build}, "
        f"{manifest.duration_us / 1e6:.1f} s, {len(bundle.events)} events, "
        f"cassette {manifest.cassette}",
        style="not bold",
    )
    for track in manifest.tracks:
        kept = "" if track.path else f" (audio left out: {track.absent_reason})"
        yield Text(
            f"  {track.id}: {track.participant}, {track.sample_rate_hz} Hz, "
            f"from {words.clock(track.offset_us)}, {len(track.speech)} stretches of speech{kept}"
        )
    for what, reason in sorted(manifest.absent.items()):
        yield Text(f"  no {what}: {reason}", style="yellow")
    yield Text("")
    latency = {
        sample.turn: sample.value
        for sample in (measurements["response_latency"].samples if measurements else ())
        if sample.turn is not None
    }
    for turn in turns:
        yield from _turn(turn, latency.get(turn.index))
    yield Text("")
    yield from _numbers(measurements, HEAD)


def _turn(turn: Turn, latency: float | None) -> Iterator[Text]:
    style = "green" if turn.role == "agent" else "blue"
    line = Text(f"{turn.index:3d}  {words.span(turn.span):>15}  ", style="dim")
    line.append(f"{turn.role:6}  ", style=f"bold {style}")
    line.append(_cut(turn.text) if turn.text is not None else f"({turn.text_absent})")
    if turn.interrupted:
        line.append("  [interrupted]", style="yellow")
    if latency is not None:
        line.append(f"  answered after {words.value(latency, 'us')}", style="dim")
    yield line
    for barge in turn.barge_ins:
        yield _aside(f"barge-in at {words.clock(barge.onset_us)}: {barge.outcome}")
    for call in turn.tools:
        arguments = call.arguments
        if isinstance(arguments, dict):
            arguments = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        verb = "failed:" if call.is_error else "->"
        made, gave = _cut(f"{call.name}({arguments})"), _cut(str(call.output))
        yield _aside(f"tool at {words.clock(call.t_us)}: {made} {verb} {gave}")
    for handoff in turn.handoffs:
        yield _aside(
            f"handoff at {words.clock(handoff.t_us)}: {handoff.old_agent} -> {handoff.new_agent}"
        )


def _cut(text: str) -> str:
    return brief(text, LONGEST)


def _aside(text: str) -> Text:
    return Text(" " * 30 + text, style="magenta")


def _numbers(measurements: Mapping[str, Measurement], names: Sequence[str]) -> Iterator[Text]:
    width = max(map(len, names))
    for name in names:
        found = measurements.get(name)
        if found is None:
            continue
        if found.value is None:
            yield Text(f"{name:{width}}  no data: {found.reason}", style="dim")
        else:
            yield Text(f"{name:{width}}  {words.value(found.value, found.unit)}  (n {found.n})")
