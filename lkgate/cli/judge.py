"""``lkgate judge``: ask language models about conversations, and learn how good they are at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lkgate.cli import complete
from lkgate.cli.exits import Exit

if TYPE_CHECKING:
    from lkgate.judge.ask import Judged, Spent
    from lkgate.judge.calibrate import Compared
    from lkgate.judge.conversation import Conversation
    from lkgate.judge.panel import Panel
    from lkgate.model.judgement import Agreed, Trust

_CONFIDENCE = 0.95


@click.group("judge")
def command() -> None:
    """Ask language models what rules cannot decide, and calibrate them against people.

    Judges stand under [tool.lkgate.judges.NAME]. What one says is kept, and the same conversation
    gets the same judgement without a key. `lkgate replay` never asks: it takes what is kept.

    Example: lkgate judge ask book --judge helpful
    """


@command.command("ask")
@click.argument("calls", nargs=-1, shell_complete=complete.recordings)
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="NAME",
    help="Only this one.",
    shell_complete=complete.judges,
)
@click.option(
    "--against",
    metavar="BUILD",
    help="The last replays of BUILD, not the recordings.",
    shell_complete=complete.builds,
)
@click.option("--recorded", is_flag=True, help="Ask nobody: print what is kept.")
def ask(
    calls: tuple[str, ...], judges: tuple[str, ...], against: str | None, recorded: bool
) -> Exit:
    """Ask the judges about CALLS (all recordings, or the last replays of a build).

    Exit code 3 if a judge has not judged a conversation, 4 if it was asked and did not answer.

    Example: lkgate judge ask book --judge helpful
    """
    from lkgate.cli.settings import settings
    from lkgate.errors import ConfigError
    from lkgate.judge.panel import Panel

    config = settings()
    panel = Panel(config)
    names = list(judges) or sorted(config.judges)
    if not names:
        raise ConfigError(
            "there is no judge to ask",
            next_step="Write one as [tool.lkgate.judges.NAME]: see docs/judges.md.",
        )
    for name in names:
        panel.judge(name)
    conversations = _conversations(panel, calls, against)
    code = Exit.PASS
    for name in names:
        found, spent = _ask(panel, name, conversations, recorded=recorded)
        _say(name, found, spent)
        if any(one.judgement is None and one.applies for one in found):
            code = max(code, Exit.NO_VERDICT if recorded else Exit.INCOMPLETE)
    return code


@command.command("calibrate")
@click.argument("name", shell_complete=complete.judges)
@click.argument("calls", nargs=-1, shell_complete=complete.recordings)
@click.option("--recorded", is_flag=True, help="Ask nobody: take what is kept.")
def calibrate(name: str, calls: tuple[str, ...], recorded: bool) -> Exit:
    """Compare judge NAME with the labels of CALLS (all recordings), and keep the result.

    A person's word stands under `judges:` in a call's labels.yaml (`helpful: pass`). A gate may
    then let the judge decide, with `min_agreement`. Exit code 4 if a judgement is lacking.

    Example: lkgate judge calibrate helpful
    """
    from lkgate.cli.judging import chosen_recordings
    from lkgate.cli.settings import settings
    from lkgate.errors import ConfigError
    from lkgate.judge.calibrate import Compared, read, write
    from lkgate.judge.conversation import conversation_of
    from lkgate.judge.identity import key_of
    from lkgate.judge.panel import Panel

    config = settings()
    panel = Panel(config)
    judge = panel.judge(name)
    chosen = chosen_recordings(config, calls)
    said = {
        one.call: one.bundle.labels.judges[name]
        for one in chosen
        if one.bundle.labels is not None and name in one.bundle.labels.judges
    }
    drafts = [
        one.call
        for one in chosen
        if one.call in said and one.bundle.labels is not None and not one.bundle.labels.reviewed
    ]
    if drafts:
        click.echo(f"labels that nobody reviewed are left out: {', '.join(drafts)}", err=True)
    labelled = {call: label for call, label in said.items() if call not in drafts}
    if not labelled:
        raise ConfigError(
            f"no call has a label for the judge `{name}`",
            next_step=f"Write `judges: {{{name}: pass}}`, or fail, in labels.yaml of calls that "
            "a person has listened to.",
        )
    conversations = {
        one.call: conversation_of(one.bundle) for one in chosen if one.call in labelled
    }
    found, spent = _ask(panel, name, list(conversations.items()), recorded=recorded)
    _say(name, found, spent)
    if any(one.judgement is None and one.applies for one in found):
        click.echo("not calibrated: judgements are lacking", err=True)
        return Exit.INCOMPLETE
    compared = [
        Compared(
            one.call,
            key_of(judge, conversations[one.call]),
            labelled[one.call],
            one.judgement.verdict,
        )
        for one in found
        if one.judgement is not None
    ]
    if not compared:
        raise ConfigError(f"the judge `{name}` applies to none of the labelled calls")
    path = write(config.judgements, judge, panel.store(name), compared)
    trust = read(config.judgements, judge, panel.store(name))
    assert trust is not None  # just written
    _say_trust(compared, trust)
    click.echo(f"kept in {path}", err=True)
    return Exit.PASS


def _conversations(
    panel: Panel, calls: Sequence[str], against: str | None
) -> list[tuple[str, Conversation]]:
    from lkgate.bundle import read
    from lkgate.cli.judging import chosen_recordings
    from lkgate.errors import ConfigError
    from lkgate.judge.conversation import conversation_of
    from lkgate.replay.recordings import find_recording, find_recordings
    from lkgate.replay.run import ReplayOptions, replays_of

    if against is None:
        if not calls:
            return [
                (one.call, conversation_of(one.bundle))
                for one in chosen_recordings(panel.config, ())
            ]
        # Any bundle can be judged: a replay over a room, or one that was kept elsewhere.
        paths = [find_recording(panel.config.recordings, call) for call in calls]
        return [(path.stem, conversation_of(read(path))) for path in paths]
    home = replays_of(ReplayOptions.of(panel.config).state, against)
    if not home.is_dir():
        raise ConfigError(
            f"there is no replay into {against}",
            where=str(home),
            next_step=f"Run `lkgate replay --against {against}` first.",
        )
    found = {path.name: path for path in find_recordings(home)}
    strange = [call for call in calls if call not in found]
    if strange:
        raise ConfigError(
            f"{', '.join(strange)}: not replayed into {against}",
            next_step=f"There are: {', '.join(found)}.",
        )
    return [(name, conversation_of(read(found[name]))) for name in calls or found]


def _ask(
    panel: Panel, name: str, conversations: Sequence[tuple[str, Conversation]], *, recorded: bool
) -> tuple[list[Judged], Spent]:
    import os
    from contextlib import ExitStack

    from lkgate.judge.ask import Spent, ask, recall
    from lkgate.judge.provider import Plugin
    from lkgate.secret import Secrets

    judge, store = panel.judge(name), panel.store(name)
    if recorded:
        return [recall(judge, store, *one) for one in conversations], Spent()
    with ExitStack() as stack:
        return ask(
            judge,
            store,
            conversations,
            lambda: stack.enter_context(Plugin(judge)),
            Secrets.of(os.environ),
        )


def _say(name: str, found: Sequence[Judged], spent: Spent) -> None:
    from lkgate.judge.panel import note_of
    from lkgate.report.inert import visible_lines

    for one in found:
        kept = "" if one.asked else " [kept]"
        said = one.reason if one.judgement is None else note_of(name, one)
        click.echo(visible_lines(f"{one.call}: {said}{'' if one.judgement is None else kept}"))
    judged = [one.judgement for one in found if one.judgement is not None]
    if judged and len(judged[0].votes) > 1:
        mean = sum(one.agreement for one in judged) / len(judged)
        click.echo(f"{name}: {mean * 100:.1f} % of the votes agree with their call's majority")
    if spent.calls:
        about = "about " if spent.estimated else ""
        click.echo(f"{name}: asked {spent.calls} times, {about}{spent.tokens} tokens", err=True)


def _say_trust(compared: Sequence[Compared], trust: Trust) -> None:
    from lkgate.gate.trust import at_least
    from lkgate.report.inert import visible_lines

    for one in compared:
        if one.said != one.label:
            says = "is undecided" if one.said is None else f"says {one.said}"
            click.echo(f"{one.call}: people say {one.label}, the judge {says}")
    click.echo(f"agreement        {_share(trust.all)}")
    click.echo(f"  on good calls  {_share(trust.good)}")
    click.echo(f"  on bad calls   {_share(trust.bad)}")
    least = at_least(trust, _CONFIDENCE)
    if trust.stale is not None:
        click.echo(visible_lines(f"It cannot decide in a gate: {trust.stale}."))
    elif least is None:
        side = "bad" if trust.bad.n == 0 else "good"
        click.echo(f"No call is labelled {side}: the judge cannot decide in a gate.")
    elif least <= 0.5:
        click.echo("No better than a coin, as far as these calls tell: it cannot decide in a gate.")
    else:
        click.echo(f"A gate may demand min_agreement up to {int(least * 1000) / 10} %.")


def _share(side: Agreed) -> str:
    from lkgate.stats.shares import wilson

    if not side.n:
        return "no call"
    bounds = wilson(side.hits, side.n, _CONFIDENCE)
    return (
        f"{side.hits} of {side.n}, {side.hits / side.n * 100:.1f} % "
        f"({_CONFIDENCE * 100:g} % sure: at least {bounds.low * 100:.1f} %, "
        f"at most {bounds.high * 100:.1f} %)"
    )
