"""A call from production becomes a test case: copied among the recordings, its labels drafted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle import draft_labels, read, verify, write_draft
from lkgate.bundle.place import new_directory
from lkgate.bundle.reader import BASELINE, open_tree
from lkgate.errors import BundleError, ConfigError
from lkgate.measure import turns_of
from lkgate.model.bundle import Bundle
from lkgate.replay.recordings import UNFINISHED, Recording

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Promoted:
    """What became of it.

    Attributes:
        copied: ``False`` if it was there already, whole, from an earlier attempt.
        drafted: whether labels were drafted; ``False`` if it brought some along.
    """

    recording: Recording
    copied: bool
    drafted: bool


def promote(bundle: Path, recordings: Path, name: str | None) -> Promoted:
    """Copy a bundle among the recordings, and draft its labels unless it has some.

    Doing it again goes on where a crash stopped it. A baseline is not copied: it is of other
    builds than those here.

    Args:
        bundle: a directory or an archive.
        name: of the call; ``None`` is the bundle's own.

    Raises:
        BundleError: the bundle is not whole, is a replay, has too much for a draft of labels, or
            another one has its name.
        ConfigError: the name cannot be a call's.
    """
    whole = verify(bundle)
    call = _named(name if name is not None else bundle.resolve().name.removesuffix(".lkb"))
    if whole.manifest.source == "replay":
        raise BundleError(
            "this is a replay, not a recording",
            where=str(bundle),
            next_step="Accept it as a baseline with `lkgate accept`; promote recordings.",
        )
    out = recordings / call
    if (recordings / f"{call}.lkb").exists():
        raise _taken(recordings / f"{call}.lkb")
    copied = not out.exists()
    if copied:
        if whole.labels is None:
            _draft(whole)  # refused, if it is, before anything is written
        _copy(bundle, out)
    made = read(out)
    if made.manifest.digest != whole.manifest.digest:
        raise _taken(out)
    drafted = made.labels is None
    if drafted:
        made = write_draft(out, _draft(made), replace=False)
    return Promoted(Recording(call, out, made), copied, drafted)


def _draft(bundle: Bundle) -> str:
    return draft_labels(turns_of(bundle), _language(bundle))


def _named(name: str) -> str:
    if not _NAME.fullmatch(name) or name.endswith((UNFINISHED, ".lkb")):
        raise ConfigError(
            f"a call cannot be called {name!r}",
            next_step="Give it a name of letters, digits, `-`, `_` and `.` with --name.",
        )
    return name


def _taken(path: Path) -> BundleError:
    return BundleError(
        "another recording has this name already",
        where=str(path),
        next_step="Give this one another with --name.",
    )


def _copy(bundle: Path, out: Path) -> None:
    tree = open_tree(bundle)
    with new_directory(out, durable=True) as made:
        for path in tree.sizes:
            if path.split("/")[0] != BASELINE:
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_bytes(tree.read(path))


def _language(bundle: Bundle) -> str | None:
    heard = [event.data.get("language") for event in bundle.of_kind("user_input_transcribed")]
    return next((one for one in heard if isinstance(one, str)), None)
