"""``lkgate power``: what the recordings at hand can detect by a gate."""

from __future__ import annotations

from pathlib import Path

import click

from lkgate.cli.parameters import GATE_FILE


@click.command("power")
@click.argument(
    "gates",
    nargs=-1,
    type=GATE_FILE,
    metavar="[GATE]...",
)
def command(gates: tuple[Path, ...]) -> None:
    """Say how large a change the recordings can show by GATE (those of the settings).

    Replays nothing: it looks at the accepted replays, and where there is none at the recording.

    Example: lkgate power gates/release.yaml
    """
    from lkgate.cli.judging import (
        chosen_recordings,
        known_sessions,
        load_gates,
        refuse_unsupported,
    )
    from lkgate.cli.settings import settings
    from lkgate.cli.supply import price_table
    from lkgate.cli.terminal import print_report
    from lkgate.gate.power import power
    from lkgate.report.power import render

    config = settings()
    loaded = load_gates(config, gates)
    recordings = chosen_recordings(config, ())
    prices = price_table(config)
    refuse_unsupported(loaded, recordings, prices)
    sessions = known_sessions(recordings, prices)
    for gate in loaded:
        print_report(render(gate, power(gate, sessions), recordings=len(recordings)))
