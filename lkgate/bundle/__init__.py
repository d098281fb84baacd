"""Sessions on disk: an open one is a journal, a closed one a bundle.

``lkgate.bundle.journal`` runs in the candidate's interpreter, which has neither soundfile nor
YAML nor JSON Schema: everything else is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from lkgate.bundle.journal import Journal, TrackWriter

if TYPE_CHECKING:
    from lkgate.bundle.change import mend_baseline, pack, reseal, strip_audio, unpack
    from lkgate.bundle.close import close_journal
    from lkgate.bundle.draft import draft_labels, write_draft
    from lkgate.bundle.labels import decode_labels, schema
    from lkgate.bundle.reader import read, read_baseline, read_pcm, verify
    from lkgate.bundle.since import cassette_index, cassette_since

__all__ = [
    "Journal",
    "TrackWriter",
    "cassette_index",
    "cassette_since",
    "close_journal",
    "decode_labels",
    "draft_labels",
    "mend_baseline",
    "pack",
    "read",
    "read_baseline",
    "read_pcm",
    "reseal",
    "schema",
    "strip_audio",
    "unpack",
    "verify",
    "write_draft",
]

_HOMES = {
    "cassette_index": "since",
    "cassette_since": "since",
    "close_journal": "close",
    "decode_labels": "labels",
    "draft_labels": "draft",
    "mend_baseline": "change",
    "pack": "change",
    "read": "reader",
    "read_baseline": "reader",
    "read_pcm": "reader",
    "reseal": "change",
    "schema": "labels",
    "strip_audio": "change",
    "unpack": "change",
    "verify": "reader",
    "write_draft": "draft",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
