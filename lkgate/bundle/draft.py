"""A first draft of ``labels.yaml``: what the agent heard and did, for a person to make true."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lkgate.bundle.change import reseal
from lkgate.bundle.labels import LABELS, MAX_BYTES, decode_labels
from lkgate.bundle.place import new_file
from lkgate.errors import BundleError
from lkgate.model.bundle import Bundle, Span
from lkgate.model.event import Json
from lkgate.model.turn import Turn

# Of one text: what a quarter of an hour's speech has. No label that a person checks is longer.
LONGEST = 10_000
# What stands for words that were spoken and not heard: nobody says this.
NOT_HEARD = "???"


def draft_labels(turns: Sequence[Turn], language: str | None) -> str:
    """The text of a draft: it follows the schema, and is not reviewed.

    Args:
        turns: of the recording.
        language: that the recogniser heard, if it says so.

    Raises:
        BundleError: there is more than labels may hold.
    """
    text = "\n".join(_lines(turns, language)) + "\n"
    if len(text.encode()) > MAX_BYTES:
        raise BundleError(
            f"a draft of its labels would be larger than {MAX_BYTES} bytes",
            next_step=f"Write its {LABELS} by hand, and take it in with `lkgate seal`.",
        )
    return text


def write_draft(directory: Path, text: str, *, replace: bool) -> Bundle:
    """Put a draft beside a recording and seal it.

    Args:
        replace: whether labels that are there may go.

    Raises:
        BundleError: there are labels already, or the bundle is no directory.
    """
    if not directory.is_dir():
        raise BundleError(
            "is no directory", where=str(directory), next_step="Unpack it: lkgate unpack."
        )
    out = directory / LABELS
    if out.exists() and not replace:
        raise BundleError(
            "the recording has labels already",
            where=str(out),
            next_step="Edit them, or replace them by a draft with --force.",
        )
    decode_labels(text.encode(), str(out))
    with new_file(out) as made:
        made.write_bytes(text.encode())
    return reseal(directory)


def _lines(turns: Sequence[Turn], language: str | None) -> Iterator[str]:
    yield "# A draft of what the agent heard and did. Listen, correct it, set reviewed to true,"
    yield "# then take it into the bundle: lkgate seal"
    yield "reviewed: false"
    callers = [turn for turn in turns if turn.role == "caller"]
    yield "# What the caller truly said; words that the agent did not hear are marked."
    yield "caller:" if callers else "caller: []"
    for turn in callers:
        heard, why = turn.text or NOT_HEARD, "" if turn.text else ": nothing was heard"
        if len(heard) > LONGEST:
            heard, why = heard[:LONGEST], f": cut, {len(heard):,} characters were heard"
        yield f"- {_json(heard)}  # {_clock(turn.span)}{why}"
    calls = [call for turn in turns for call in turn.tools]
    yield "# What a right agent calls, in order; leave out arguments that do not matter."
    yield "tools:" if calls else "tools: []"
    for call in sorted(calls, key=lambda one: one.t_us):
        failed = ": it failed" if call.is_error else ""
        yield f"- name: {_json(call.name or NOT_HEARD)}  # {_moment(call.t_us)}{failed}"
        arguments = call.arguments if isinstance(call.arguments, dict) else {}
        lines = [f"{_json(name)}: {_json(value)}" for name, value in arguments.items()]
        kept = [line for line in lines if len(line) <= LONGEST]
        cut = f"  # without {len(lines) - len(kept)} that are too long" if kept != lines else ""
        yield ("  arguments:" if kept else "  arguments: {}") + cut
        yield from (f"    {line}" for line in kept)
    yield "# How the call ended, in your own words: booked, informed, escalated."
    yield "outcome: null"
    made = [handoff.new_agent for turn in turns for handoff in turn.handoffs if handoff.new_agent]
    yield "handoffs:" if made else "handoffs: []"
    yield from (f"- {_json(name)}" for name in made)
    yield "# Anything that calls of a kind have in common: accent, route, noise, codec, persona."
    yield "cohort:" if language else "cohort: {}"
    if language:
        yield f"  language: {_json(language)}"


def _json(value: Json) -> str:
    """A value on one line: JSON is YAML, but for characters that nobody can see."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in text)


def _clock(span: Span) -> str:
    return f"{_moment(span.start_us)}-{_moment(span.end_us)}"


def _moment(t_us: int) -> str:
    tenths = round(t_us / 100_000)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
