"""What became of the calls, beside what the labels ask for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from lkgate.bundle import decode_labels, read
from lkgate.demo.make.calls import Script
from lkgate.measure.action import tool_calls
from lkgate.measure.registry import METRICS, measure
from lkgate.measure.session import session_of

COLUMNS = f"{'call':16} {'seconds':>7} {'turns':>5} {'lines':>5} {'WER':>6} {'tools':>6}"


def table(made: Iterable[tuple[Script, Path]]) -> tuple[str, bool]:
    """One line a call, and what its tools did wrong; whether every tool call is as labelled."""
    rows, right, total_s = [COLUMNS], True, 0.0
    for script, path in made:
        bundle = read(path)
        labels = decode_labels((path / "labels.yaml").read_bytes(), str(path))
        session = session_of(bundle, labels)
        expected = [(tool.name, dict(tool.arguments)) for tool in script.tools]
        called = [(call.name, call.arguments) for call in tool_calls(bundle)]
        seconds = bundle.manifest.duration_us / 1e6
        total_s += seconds
        wer = measure(session, METRICS["word_error_rate"]).value
        asked = len(session.of("caller"))
        shown = "-" if wer is None else f"{wer:.1%}"
        verdict = "right" if called == expected else "WRONG"
        counts = f"{asked:5} {len(script.lines):5}"
        rows.append(f"{script.name:16} {seconds:7.1f} {counts} {shown:>6} {verdict:>6}")
        if called != expected:
            right = False
            rows += [f"    called   {json.dumps(called)}", f"    expected {json.dumps(expected)}"]
    rows.append(f"{'in all':16} {total_s:7.1f}")
    return "\n".join(rows), right
