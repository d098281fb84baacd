"""HTML reports on disk: a page for each gate, and sound beside a page that cannot hold it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lkgate.model.verdict import LiveRoom, Verdict
    from lkgate.report.html import Sources


def page_of(report: Path, number: int) -> Path:
    """Where the page of a gate goes: ``report.html``, ``report-2.html``.

    Args:
        number: of the gate, from 1.
    """
    return report if number == 1 else report.with_stem(f"{report.stem}-{number}")


def write_pages(
    report: Path,
    verdicts: Sequence[Verdict],
    *,
    build: str,
    digest: str | None,
    live: LiveRoom | None,
    sources: Mapping[str, Sources],
) -> None:
    """Write a page for each verdict. Those of an earlier run are to be removed before."""
    from lkgate.report.html import render

    for number, verdict in enumerate(verdicts, 1):
        path = page_of(report, number)
        beside = _beside(path).name
        page = render(
            verdict,
            build=build,
            digest=digest,
            live=live,
            sources=sources,
            beside=beside,
            number=number,
        )
        _remove_sound(path)
        path.write_text(page.text, encoding="utf-8", errors="replace")
        for name, data in page.beside.items():
            place = path.parent / name
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(data)


def remove_pages(report: Path) -> None:
    """Take a report away: its page, those of further gates, and the sound beside each."""
    for page in (report, *_further(report)):
        _remove_sound(page)
        page.unlink(missing_ok=True)


def _further(report: Path) -> Iterator[Path]:
    """Pages that :func:`write_pages` wrote beside the first one, and no report of its own."""
    from lkgate.report.html import number_of

    name = re.compile(rf"{re.escape(report.stem)}-([2-9]|[1-9][0-9]+){re.escape(report.suffix)}")
    if not report.parent.is_dir():
        return
    for path in sorted(report.parent.iterdir()):
        found = name.fullmatch(path.name)
        if found and path.is_file() and number_of(_head(path)) == int(found[1]):
            yield path


def _remove_sound(page: Path) -> None:
    """The sound beside a page that is to go: voices of which nobody would know."""
    from lkgate.report.html import policy_of

    beside = _beside(page)
    if not page.is_file() or beside.is_symlink():
        return
    policy = policy_of(_head(page))
    if policy is None or "media-src 'self' file:" not in policy:
        return  # of another program, or whole
    for sound in beside.glob("*.ogg"):
        if re.fullmatch(r"[0-9]{4,}", sound.stem):
            sound.unlink(missing_ok=True)
    if beside.is_dir() and not any(beside.iterdir()):
        beside.rmdir()


def _beside(page: Path) -> Path:
    return page.with_name(f"{page.stem}-audio")


def _head(page: Path) -> str:
    with page.open("rb") as file:
        return file.read(4096).decode("utf-8", "replace")
