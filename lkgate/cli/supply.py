"""What the team and the audio add to a call before it is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lkgate.cassette import Exchange
from lkgate.config import Config, read_prices
from lkgate.gate.metrics import SPECS
from lkgate.judge.panel import Panel, judges_named
from lkgate.listen import listen
from lkgate.listen.synthesis import spoken_for, synthesis
from lkgate.model.bundle import Bundle
from lkgate.model.gate import Gate
from lkgate.model.price import PriceTable
from lkgate.model.verdict import CallResult


def price_table(config: Config) -> PriceTable | None:
    """What models cost, if the settings name a table."""
    return None if config.prices is None else read_prices(config.prices)


def supplied(
    gate: Gate,
    result: CallResult,
    path: Path | None,
    recording: Path,
    prices: PriceTable | None,
    panel: Panel | None = None,
) -> CallResult:
    """A call with what models cost, and with what its sound tells and what judges said of it if
    the gate asks for that.

    Args:
        path: of the candidate's bundle, ``None`` if there is none. A baseline keeps no audio.
        recording: whose cassette answered replays.
        panel: the judges of the settings.

    Raises:
        ConfigError: the gate needs local models that are not installed.
    """
    wanted = {evidence for rule in gate.rules for evidence in SPECS[rule.metric].evidence}
    candidate = result.candidate
    if isinstance(candidate, Bundle) and path is not None:
        candidate = listen(path, candidate, wanted)
    if isinstance(candidate, Bundle) and panel is not None:
        candidate = panel.heard(candidate, judges_named(gate))
    baseline = result.baseline
    if "synthesis" in wanted:
        taped = spoken_for(recording)
        if isinstance(candidate, Bundle):
            candidate = _timed(candidate, taped)
        if baseline is not None:
            baseline = replace(baseline, bundle=_timed(baseline.bundle, taped))
    return replace(result, candidate=candidate, baseline=baseline, prices=prices)


def _timed(session: Bundle, taped: tuple[Exchange, ...]) -> Bundle:
    """A call over a room is no replay: its voice was asked, and nobody taped that."""
    return synthesis(session, taped) if session.manifest.source == "replay" else session
