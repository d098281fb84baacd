"""Attributes of participants and streams, in one order.

They travel in maps of protocol buffers, which are iterated in an order that depends on where the
process was loaded. A program that prints them, or puts them into a prompt, must get the same text
in every run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.rtc import data_stream
from livekit.rtc import participant as participants


def sort_attributes() -> None:
    """Change ``livekit.rtc`` itself: by name, wherever a map becomes a dictionary."""
    participant: Any = rtc.Participant
    participant.attributes = property(_of_participant, doc=rtc.Participant.attributes.__doc__)
    for name in ("_text_stream_info_from_proto", "_byte_stream_info_from_proto"):
        read = _sorted(getattr(data_stream, name))
        for module in (data_stream, participants):  # who imported it by name
            setattr(module, name, read)


def _of_participant(self: rtc.Participant) -> dict[str, str]:
    return dict(sorted(self._info.attributes.items()))


def _sorted(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read_sorted(info: Any) -> Any:
        made = read(info)
        made.attributes = dict(sorted(made.attributes.items()))
        return made

    return read_sorted
