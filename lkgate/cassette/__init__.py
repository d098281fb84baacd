"""Recorded exchanges with models and tools: what they are, how they are found, how they are kept.

Standard library only (PyAV to read compacted speech): this runs in the candidate's interpreter.
:mod:`lkgate.cassette.compact` does not, and is imported by nobody here.
"""

from lkgate.cassette.exchange import Exchange
from lkgate.cassette.keys import key_of
from lkgate.cassette.merge import Merged, merge, read_worker
from lkgate.cassette.miss import Miss
from lkgate.cassette.part import Part, Sink
from lkgate.cassette.schedule import Scheduled, stt_schedule
from lkgate.cassette.store import Cassette, NewCassette, pick

__all__ = [
    "Cassette",
    "Exchange",
    "Merged",
    "Miss",
    "NewCassette",
    "Part",
    "Scheduled",
    "Sink",
    "key_of",
    "merge",
    "pick",
    "read_worker",
    "stt_schedule",
]
