"""``lkgate label``: a draft of the truth, from what the agent made of it."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from lkgate.cli.parameters import BUNDLE


@click.command("label")
@click.argument("bundle", type=BUNDLE)
@click.option("--print", "only_print", is_flag=True, help="Print the draft, write nothing.")
@click.option("--force", is_flag=True, help="Replace labels that are there.")
def command(bundle: Path, only_print: bool, force: bool) -> None:
    """Draft labels.yaml of BUNDLE from its transcript, tool calls and handoffs.

    BUNDLE is a recording's name, or its path.

    The draft is marked as not reviewed: it says what the agent heard, which is not yet what the
    caller said. Correct it, set `reviewed: true`, and run `lkgate seal`.

    Example: lkgate label recordings/refund
    """
    from lkgate.bundle import draft_labels, read, write_draft
    from lkgate.measure import turns_of

    found = read(bundle)
    heard = [e.data.get("language") for e in found.of_kind("user_input_transcribed")]
    language = next((one for one in heard if isinstance(one, str)), None)
    text = draft_labels(turns_of(found), language)
    if only_print:
        click.echo(text, nl=False)
        return
    made = write_draft(bundle, text, replace=force)
    assert made.labels is not None
    said, tools = len(made.labels.caller), len(made.labels.tools)
    click.echo(
        f"{bundle}/labels.yaml: a draft of {said} utterances and {tools} tool calls, not reviewed"
    )
    words = shlex.join(["lkgate", "seal", str(bundle)])
    click.echo(f"Next: listen, correct it, set `reviewed: true`, then {words}")
