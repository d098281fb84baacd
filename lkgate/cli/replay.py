"""``lkgate replay``: recordings into a build, diffed against the baselines, gated."""

from __future__ import annotations

import time
from dataclasses import replace as amended
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lkgate.cli import complete
from lkgate.cli.parameters import GATE_FILE
from lkgate.cli.replay_room import RoomFlags, replay_room
from lkgate.cli.unjudged import reporting

if TYPE_CHECKING:
    from lkgate.model.event import Json
    from lkgate.replay.run import Verification


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
    type=GATE_FILE,
    help="A gate file.",
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
    "--shard",
    metavar="I/N",
    help="Replay the I-th of N parts of the calls; `lkgate merge` judges. A report tells only why "
    "the part is not whole.",
)
@click.option(
    "--shard-into",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the shard's result goes (.lkgate/shards/BUILD/I-of-N).",
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
    shell_complete=complete.reports,
    help="Also write a report to a file: "
    "html, text, json, junit, markdown (a job summary, a comment), github (annotations) or sarif.",
)
@click.option("--verbose", "-v", is_flag=True, help="Every place and every difference.")
@click.option("--no-gate", is_flag=True, help="Replay only; judge nothing.")
@click.pass_obj
@reporting
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
    shard: str | None,
    shard_into: Path | None,
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
    from lkgate.cli.asides import doubts_of, say_derived, say_output, say_speed, say_verification
    from lkgate.cli.judging import chosen_recordings, load_gates, refuse_unsupported
    from lkgate.cli.progress import replay_progress
    from lkgate.cli.reports import about, parse, reported
    from lkgate.cli.settings import settings
    from lkgate.cli.shard import ShardFlags, keep_shard
    from lkgate.cli.supply import price_table
    from lkgate.cli.verdicts import conclude, exit_of_replays
    from lkgate.judge.panel import Panel
    from lkgate.replay.recordings import names_of_recordings
    from lkgate.replay.run import ReplayOptions, replay
    from lkgate.replay.run import verify as replay_repeatedly
    from lkgate.replay.shard import split

    rooms = RoomFlags(repeats, concurrency, interleave, wait_s, env_file)
    if transport == "sim":
        rooms.refuse()
    elif models in ("cassette", "record") or jobs or verify or on_miss:
        raise click.UsageError(
            "in a room, models answer live and calls are not the same again: --models cassette, "
            "--models record, --on-miss, --jobs and --verify are for --transport sim"
        )
    part = ShardFlags.of(shard, shard_into)
    if part is not None:
        part.refuse(
            {
                "--gate": gates,
                "--verify": verify,
                "--format json": form == "json",
                "--transport room": transport == "room",
            }
        )
    config = settings(_policies(on_miss))
    build = resolve(against, config)
    loaded = [] if no_gate or part else load_gates(config, gates, build)
    prices = price_table(config)
    if form == "json" and len(loaded) != 1:
        raise click.UsageError("--format json reports on exactly one gate: name it with --gate")
    named = about(against, gates, rooms=transport == "room")
    wanted = parse(reports, gates=1 if part else len(loaded), about=named)
    recordings = chosen_recordings(config, calls, baselines=not no_gate)
    if not calls:
        # Some of the calls give no pass anyway, and what they lack others may have.
        refuse_unsupported(loaded, recordings, prices)
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
        say_derived(recordings)
    options = ReplayOptions.of(config)
    options = amended(
        options,
        models=models or options.models,
        pacing=pacing or options.pacing,
        workers=jobs or options.workers,
    )
    if part is not None:
        part.refuse({"--models record": options.models == "record"})
    chosen = recordings if part is None else split(recordings, part.share)
    began = time.monotonic()
    verification: Verification | None = None
    with replay_progress(build.name, len(chosen) * (verify or 1)) as on_progress:
        if verify:
            verification = replay_repeatedly(chosen, build, options, on_progress, times=verify)
            replays = verification.first
        else:
            replays = replay(chosen, build, options, on_progress)
    if calls and part is None:
        click.echo("only the calls that were named are judged", err=True)
    say_speed(replays, time.monotonic() - began, verify or 1)
    if obj["debug"]:
        say_output(replays)
    if part is not None:
        return keep_shard(
            part,
            against,
            build,
            options,
            recordings,
            replays,
            named=bool(calls),
            reports=wanted,
        )
    verdicts, unwritten = conclude(
        replays,
        loaded,
        every=every,
        prices=prices,
        panel=Panel(config),
        state=options.state,
        form=form,
        reports=wanted,
        verbose=verbose,
        unusable=doubts_of(verification, against) if verification is not None else (),
    )
    if verification is not None:
        say_verification(verification)
    same = verification is None or verification.same
    return reported(exit_of_replays(replays, verdicts, same=same), unwritten)


def _policies(pairs: tuple[str, ...]) -> dict[str, Json]:
    """``tts=estimate`` as a setting."""
    found: dict[str, Json] = {}
    for pair in pairs:
        model, sign, policy = pair.partition("=")
        if not sign:
            raise click.BadParameter(f"'{pair}' is no MODEL=POLICY", param_hint="'--on-miss'")
        found[f"replay.on_miss.{model.strip()}"] = policy.strip()
    return found
