"""Whether lkgate can work here: one finding a thing that it needs, each with its remedy."""

from lkgate.diagnosis.agents import build_findings
from lkgate.diagnosis.finding import Finding
from lkgate.diagnosis.machine import audio, clock, disk, interpreter, network_block
from lkgate.diagnosis.recordings import recordings
from lkgate.diagnosis.server import server_findings

__all__ = [
    "Finding",
    "audio",
    "build_findings",
    "clock",
    "disk",
    "interpreter",
    "network_block",
    "recordings",
    "server_findings",
]
