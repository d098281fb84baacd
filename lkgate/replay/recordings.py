"""The recordings that a replay starts from."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle import read
from lkgate.errors import BundleError, ConfigError, LkgateError
from lkgate.model.bundle import Bundle

ARCHIVE = ".lkb"
MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"

# Of the names that an error lists.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded call: its name, where it lies, and what it holds."""

    call: str
    path: Path
    bundle: Bundle


def find_recordings(directory: Path) -> list[Path]:
    """Every bundle right below ``directory``, sorted by name; hidden and other files are ignored.

    Raises:
        BundleError: a directory in it is no bundle, with all others of the kind. A call that
            vanished must not go unnoticed.
        ConfigError: there is no such directory, or no recording in it.
    """
    if not directory.is_dir():
        raise ConfigError(
            "there is no such directory of recordings",
            where=str(directory),
            next_step="`lkgate record`, `lkgate import` or `lkgate promote` makes one; or set "
            "`recordings`.",
        )
    found: list[Path] = []
    wrong: list[BundleError] = []
    for path in sorted(directory.iterdir()):
        try:
            found += [path] if _is_bundle(path) else []
        except BundleError as error:
            wrong.append(error)
    _refuse(wrong)
    if not found:
        raise ConfigError(
            "there is no recording in this directory",
            where=str(directory),
            next_step="Record a call with `lkgate record`, or name a bundle.",
        )
    return found


def _refuse(wrong: Sequence[BundleError]) -> None:
    """Raise the first, which tells of the others."""
    if wrong:
        wrong[0].also = wrong[1:]
        raise wrong[0]


def each_recording(directory: Path) -> Iterator[Recording | LkgateError]:
    """Every recording right below ``directory``, verified, or why one cannot be read.

    Raises:
        OSError: the directory cannot be read.
    """
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        try:
            if _is_bundle(path):
                yield from read_recordings([path])
        except LkgateError as error:
            yield error


def find_recording(directory: Path, name: str) -> Path:
    """A recording's place by its call's name below ``directory``, or a bundle's by its path.

    A word with a slash is a path.

    Raises:
        ConfigError: there is none; the nearest name, or what there is, is told.
    """
    path = Path(name)
    named = is_name(name)
    below = [directory / name, directory / f"{name}{ARCHIVE}"] if named else []
    for place in [*below, path]:
        if _is_there(place):
            return place
    known = names_of_recordings(directory)
    beside = path.parent
    # A name may stand for a path that goes wrong at its end, and the other way round.
    paths = [] if named or not _is_there(beside) else [str(one) for one in beside.iterdir()]
    close = difflib.get_close_matches(name, [*known, *paths], n=1)
    steps = [f"Did you mean {close[0]!r}?"] if close else []
    if named and known:
        more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
        steps.append(f"There are: {', '.join(known[:_LISTED])}{more}.")
    raise ConfigError(
        f"there is no {'recording' if named else 'bundle'} {name!r}",
        next_step=" ".join(steps) or f"Give a bundle's directory, or an {ARCHIVE} file.",
    )


def is_name(word: str) -> bool:
    """Whether a word may be a recording's name. Any other is only a path."""
    return word not in ("", "..") and Path(word).name == word


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long for a name of a file, or not for us to see
        return False


def names_of_recordings(directory: Path) -> list[str]:
    """Names of all calls right below ``directory``, whole or not; none without a directory."""
    if not directory.is_dir():
        return []
    names = [
        _name(path)
        for path in sorted(directory.iterdir())
        if not path.name.startswith(".")
        and not path.name.endswith(UNFINISHED)
        and (path.is_dir() or path.suffix == ARCHIVE)
    ]
    return list(dict.fromkeys(names))


def _name(path: Path) -> str:
    return path.stem if path.suffix == ARCHIVE else path.resolve().name


def require_name(path: Path) -> None:
    """Refuse a name that no manifest and no report can hold.

    Raises:
        BundleError: it is no UTF-8.
    """
    try:
        path.name.encode()
    except UnicodeEncodeError:
        raise BundleError(
            "the name of this recording is no UTF-8",
            where=str(path),
            next_step="Rename it: a call is known by its name.",
        ) from None


def _is_bundle(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    if (path / MANIFEST).is_file() or path.suffix == ARCHIVE:
        return True
    if path.is_dir():
        if path.name.endswith(UNFINISHED):
            raise BundleError(
                "this recording was never finished",
                where=str(path),
                next_step=f"Run `lkgate recover {path}`, or remove it.",
            )
        raise BundleError(
            f"this directory among the recordings has no {MANIFEST}",
            where=str(path),
            next_step="Restore the recording, or move the directory elsewhere.",
        )
    return False


def read_recordings(paths: Sequence[Path], *, baselines: bool = True) -> list[Recording]:
    """The bundles at ``paths``, verified.

    Args:
        baselines: ``False`` for who will not judge by them.

    Raises:
        BundleError: one is not whole, or has a name that nothing can hold, with all others of the
            kind.
        ConfigError: two have one name, or one is a replay itself.
    """
    recordings: dict[str, Recording] = {}
    wrong: list[BundleError] = []
    for path in {path.resolve(): path for path in paths}.values():
        call = _name(path)
        try:
            require_name(path)
            bundle = read(path, baseline=baselines)
        except BundleError as error:
            wrong.append(error)
            continue
        if bundle.manifest.source == "replay":
            raise ConfigError("this is a replay, not a recording", where=str(path))
        if call in recordings:
            raise ConfigError(
                f"two recordings have the name `{call}`",
                where=str(path),
                next_step=f"The other one is {recordings[call].path}; rename one.",
            )
        recordings[call] = Recording(call, path, bundle)
    _refuse(wrong)
    return list(recordings.values())
