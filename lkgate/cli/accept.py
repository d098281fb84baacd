"""``lkgate accept``: the last replay of a build becomes the baseline."""

from __future__ import annotations

import sys

import click


@click.command("accept")
@click.argument("calls", nargs=-1)
@click.option("--build", required=True, metavar="BUILD", help="Whose last replay to accept.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def command(calls: tuple[str, ...], build: str, yes: bool) -> None:
    """Make the last replay of BUILD the baseline of CALLS (all recordings).

    Baselines stand beside their recordings in `baseline/`, without audio: commit them.
    """
    from lkgate.bundle import cassette_since, read, read_baseline, strip_audio
    from lkgate.cli.judging import chosen_recordings
    from lkgate.cli.settings import settings
    from lkgate.errors import BundleError, ConfigError
    from lkgate.gate.metrics import acceptance
    from lkgate.replay.run import ReplayOptions, replays_of
    from lkgate.report.words import count

    config = settings()
    home = replays_of(ReplayOptions.of(config).state, build)
    changes = []
    for recording in chosen_recordings(config, calls):
        if not recording.path.is_dir():
            raise ConfigError(
                "a baseline stands beside its recording, and an archive has no room for it",
                where=str(recording.path),
                next_step=f"Run `lkgate unpack {recording.path}`, and remove the archive.",
            )
        replay = home / recording.call
        if not replay.is_dir():
            raise ConfigError(
                f"there is no replay of {recording.call!r} into {build!r}",
                next_step=f"Run `lkgate replay --against {build}` first.",
            )
        found = read(replay).manifest
        if found.recording_digest != recording.bundle.manifest.digest:
            raise BundleError(
                "this replay was made from another recording",
                where=str(replay),
                next_step=f"Run `lkgate replay --against {build}` again.",
            )
        if cassette_since(recording.path, found.answered_by) == "changed":
            raise BundleError(
                "the cassette that answered this replay was changed since",
                where=str(replay),
                next_step=f"Run `lkgate replay --against {build}` again.",
            )
        before = read_baseline(recording.path)
        old = before.manifest.digest if before is not None else None
        changes.append((recording, replay, old, found.digest))
    for recording, _, old, new in changes:
        state = "new" if old is None else "unchanged" if old == new else f"was {old[:12]}"
        click.echo(f"{recording.call}: {new[:12]} ({state})")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask: pass --yes")
    if not yes:
        asked = f"Accept {count(len(changes), 'replay')} as {count(len(changes), 'baseline')}?"
        click.confirm(asked, abort=True, err=True)
    for recording, replay, _, _ in changes:
        strip_audio(replay, recording.path / "baseline", accepted=acceptance())
    click.echo(f"accepted: {count(len(changes), 'baseline')}")
