"""``lkgate replay``: recordings into a build, diffed against the baselines, gated."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace as amended
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lkgate.cli import complete
from lkgate.cli.exits import Exit
from lkgate.cli.replay_room import RoomFlags, replay_room

if TYPE_CHECKING:
    from lkgate.model.event import Json
    from lkgate.model.gate import Verdict
    from lkgate.replay.recordings import Recording
    from lkgate.replay.run import ReplaySet, Verification
    from lkgate.report.html import Sources


@click.command("replay")
@click.argument("calls", nargs=-1, shell_complete=complete.recordings)
@click.option(
    "--against",
    required=True,
    metavar="BUILD",
    help="A build's name, or a program.",
    shell_complete=complete.builds,
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A gate file.",
    shell_complete=complete.gates,
)
@click.option(
    "--models",
    type=click.Choice(["cassette", "record", "live"]),
    help="Who answers model requests: the recording, the recording and else the provider (its "
    "answers are added), or the provider.",
)
@click.option(
    "--on-miss",
    multiple=True,
    metavar="MODEL=POLICY",
    help="What happens to a request without a recorded answer: stt, llm or tts = error (the "
    "default), live (ask the provider), or, for tts, estimate (as long as the recorded speaking "
    "rate says; marked).",
)
@click.option(
    "--pacing", type=click.Choice(["anchored", "absolute"]), help="When the caller speaks."
)
@click.option("--jobs", "-j", type=click.IntRange(1), help="Calls at once (one a core).")
@click.option(
    "--verify", type=click.IntRange(2), metavar="N", help="Replay N times, compare digests."
)
@click.option(
    "--transport",
    type=click.Choice(["sim", "room"]),
    default="sim",
    show_default=True,
    help="Virtual time, or real rooms on a LiveKit server: any agent, live models, real clock.",
)
@click.option("--repeats", type=click.IntRange(1), metavar="N", help="room: times a call (3).")
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    metavar="N",
    help="room: calls at once, at most (1); fewer if this machine cannot keep time.",
)
@click.option(
    "--interleave",
    metavar="BUILD",
    help="room: place each call to BUILD in turn, and hold the candidate to that.",
    shell_complete=complete.builds,
)
@click.option(
    "--wait", "wait_s", type=click.FloatRange(min=0), help="room: seconds for the agent to come."
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="room: file with LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="KIND=PATH",
    help="Also write a report to a file: "
    "html, text, json, junit, markdown (a job summary, a comment) or github (annotations).",
)
@click.option("--verbose", "-v", is_flag=True, help="Every place and every difference.")
@click.option("--no-gate", is_flag=True, help="Replay only; judge nothing.")
@click.pass_obj
def command(
    obj: dict[str, bool],
    calls: tuple[str, ...],
    against: str,
    gates: tuple[Path, ...],
    models: Literal["cassette", "record", "live"] | None,
    on_miss: tuple[str, ...],
    pacing: Literal["anchored", "absolute"] | None,
    jobs: int | None,
    verify: int | None,
    transport: Literal["sim", "room"],
    repeats: int | None,
    concurrency: int | None,
    interleave: str | None,
    wait_s: float | None,
    env_file: Path | None,
    form: str,
    reports: tuple[str, ...],
    verbose: bool,
    no_gate: bool,
) -> int:
    """Replay CALLS (all recordings) into BUILD and judge what changed.

    Some CALLS of those that a gate is about never give a pass: exit code 3 unless a rule failed.

    Runs the build's own program, unmodified, in virtual time, against the callers of the
    recordings. No server, no network, no keys: models answer from the recordings' cassettes.

    With --transport room the build's worker is started (or, with --against agent:NAME@URL, one
    that is deployed is used), and each caller calls it in a real room.

    Example: lkgate replay --against v2 --report html=report.html
    """
    from lkgate.builds import resolve
    from lkgate.cli.judging import chosen_recordings, judge, load_gates, refuse_unsupported
    from lkgate.cli.progress import replay_progress
    from lkgate.cli.reports import parse, write
    from lkgate.cli.settings import settings
    from lkgate.cli.supply import price_table
    from lkgate.judge.panel import Panel
    from lkgate.replay.recordings import names_of_recordings
    from lkgate.replay.run import ReplayOptions, replay
    from lkgate.replay.run import verify as replay_repeatedly

    rooms = RoomFlags(repeats, concurrency, interleave, wait_s, env_file)
    if transport == "sim":
        rooms.refuse()
    elif models in ("cassette", "record") or jobs or verify or on_miss:
        raise click.UsageError(
            "in a room, models answer live and calls are not the same again: --models cassette, "
            "--models record, --on-miss, --jobs and --verify are for --transport sim"
        )
    config = settings(_policies(on_miss))
    build = resolve(against, config)
    loaded = [] if no_gate else load_gates(config, gates, build)
    prices = price_table(config)
    if form == "json" and len(loaded) != 1:
        raise click.UsageError("--format json reports on exactly one gate: name it with --gate")
    wanted = parse(reports, gates=len(loaded))
    recordings = chosen_recordings(config, calls)
    if not calls:
        # Some of the calls give no pass anyway, and what they lack others may have.
        refuse_unsupported(loaded, recordings)
    every = names_of_recordings(config.recordings) if calls else None
    if transport == "room":
        return replay_room(
            config,
            build,
            recordings,
            loaded,
            rooms,
            pacing=pacing,
            every=every,
            form=form,
            reports=wanted,
            verbose=verbose,
        )
    if (models or config.replay.models) == "cassette":
        _say_derived(recordings)
    options = ReplayOptions.of(config)
    options = amended(
        options,
        models=models or options.models,
        pacing=pacing or options.pacing,
        workers=jobs or options.workers,
    )
    began = time.monotonic()
    verification: Verification | None = None
    with replay_progress(build.name, len(recordings) * (verify or 1)) as on_progress:
        if verify:
            verification = replay_repeatedly(recordings, build, options, on_progress, times=verify)
            replays = verification.first
        else:
            replays = replay(recordings, build, options, on_progress)
    if calls:
        click.echo("only the calls that were named are judged", err=True)
    _say_speed(replays, time.monotonic() - began, verify or 1)
    if obj["debug"]:
        _say_output(replays)
    panel = Panel(config)
    verdicts = [
        judge(gate, replays.calls, every=every, prices=prices, panel=panel) for gate in loaded
    ]
    digest = replays.digest or "incomplete"
    if no_gate:
        _print_failures(replays)
    for verdict in verdicts:
        _print(verdict, build.name, digest, form, verbose)
    write(
        wanted,
        verdicts,
        build=build.name,
        digest=digest,
        sources=partial(_sources, replays, options.state),
    )
    if verification is not None:
        _print_verification(verification)
    return _exit(replays, verdicts, verification)


def _sources(replays: ReplaySet, state: Path) -> dict[str, Sources]:
    from lkgate.cli.listening import sources_of

    return sources_of(replays.calls, state)


def _policies(pairs: tuple[str, ...]) -> dict[str, Json]:
    """``tts=estimate`` as a setting."""
    found: dict[str, Json] = {}
    for pair in pairs:
        model, sign, policy = pair.partition("=")
        if not sign:
            raise click.BadParameter(f"'{pair}' is no MODEL=POLICY", param_hint="'--on-miss'")
        found[f"replay.on_miss.{model.strip()}"] = policy.strip()
    return found


def _say_derived(recordings: Sequence[Recording]) -> None:
    """Whose answers nobody recorded: such a replay tells less."""
    from lkgate.report.words import count

    bare = [one.call for one in recordings if one.bundle.manifest.cassette == "none"]
    if bare:
        click.echo(
            f"{count(len(bare), 'recording')} without a cassette: answers are derived from what "
            f"was heard of the call (`lkgate derive` keeps them): {', '.join(bare)}",
            err=True,
        )


def _say_speed(replays: ReplaySet, wall_s: float, times: int) -> None:
    """How fast it was: for a person, on stderr, for it differs from run to run."""
    virtual_s = times * sum(
        one.outcome.bundle.manifest.duration_us / 1e6
        for one in replays.calls
        if one.outcome.bundle is not None
    )
    if not virtual_s:
        return
    replayed = len(replays.calls) * times
    click.echo(
        f"replayed {replayed} {'call' if replayed == 1 else 'calls'}, "
        f"{virtual_s / 60:.1f} minutes, in {wall_s:.1f} s: "
        f"{virtual_s / wall_s:.0f} times real time",
        err=True,
    )


def _say_output(replays: ReplaySet) -> None:
    for one in replays.calls:
        if one.outcome.output:
            click.echo(f"--- {one.recording.call} printed:\n{one.outcome.output}", err=True)


def _print_failures(replays: ReplaySet) -> None:
    for one in replays.calls:
        failure = one.outcome.failure
        if failure is not None:
            where = f"{failure.where}: " if failure.where else ""
            click.echo(f"{one.recording.call}: {where}{failure.message}")
            if failure.next_step:
                click.echo(f"  {failure.next_step}")


def _print(verdict: Verdict, build: str, digest: str, form: str, verbose: bool) -> None:
    if form == "json":
        from lkgate.report.json import render as render_json

        click.echo(render_json(verdict, build=build, digest=digest), nl=False)
        return
    from lkgate.cli.terminal import print_report
    from lkgate.report.text import render

    print_report(render(verdict, build=build, digest=digest, verbose=verbose))


def _print_verification(found: Verification) -> None:
    """On stderr: the report on stdout is the same with and without ``--verify``."""
    if found.same:
        click.echo(f"{len(found.digests)} replays, one digest: {found.digests[0]}", err=True)
        return
    for number, digest in enumerate(found.digests, 1):
        click.echo(f"replay {number}: {digest or 'incomplete'}", err=True)
    if found.differing:
        click.echo(f"not deterministic: {', '.join(found.differing)}", err=True)


def _exit(replays: ReplaySet, verdicts: list[Verdict], verification: Verification | None) -> Exit:
    """A replay that did not complete says so before anything that was judged without it."""
    if any(one.outcome.bundle is None for one in replays.calls):
        return Exit.INCOMPLETE
    if verification is not None and not verification.same:
        return Exit.NO_VERDICT
    statuses = {verdict.status for verdict in verdicts}
    if "fail" in statuses:
        return Exit.GATE_FAILED
    return Exit.NO_VERDICT if "no_verdict" in statuses else Exit.PASS
