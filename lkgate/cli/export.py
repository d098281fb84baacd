"""``lkgate export``: a session for other programs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from lkgate.cli.parameters import BUNDLE


@click.command("export")
@click.argument("bundle", type=BUNDLE)
@click.option(
    "--otlp",
    required=True,
    metavar="FILE|URL",
    help="OpenTelemetry spans: a file of OTLP's JSON, or a collector's OTLP/HTTP address.",
)
def command(bundle: Path, otlp: str) -> None:
    """Write BUNDLE, a recording or a replay, for a trace viewer.

    BUNDLE is a recording's name, or the path of any bundle.

    Spans and attributes have the names of LiveKit's own traces and of OpenTelemetry's gen_ai
    conventions. They hold what people said. Headers for a collector are taken from
    OTEL_EXPORTER_OTLP_HEADERS.

    \b
    Examples:
      lkgate export recordings/book --otlp book.json
      lkgate export .lkgate/replays/v2/book --otlp http://127.0.0.1:4318
    """
    import json

    from lkgate.bundle import read
    from lkgate.collector import headers_of, send
    from lkgate.measure import turns_of
    from lkgate.report.otel import render

    found = read(bundle)
    traces = json.dumps(render(found, turns_of(found)), ensure_ascii=False).encode()
    if otlp.startswith(("http://", "https://")):
        click.echo(f"sent to {send(otlp, traces, headers_of(os.environ))}", err=True)
        return
    Path(otlp).write_bytes(traces + b"\n")
    click.echo(f"wrote {otlp}", err=True)
