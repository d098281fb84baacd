"""A recogniser's stream in a new cassette: written as one exchange when it has ended."""

from __future__ import annotations

from collections.abc import Mapping

from lkgate.cassette import NewCassette
from lkgate.model.event import Json


class StreamLog:
    """Collects one stream's events; a :class:`lkgate.harness.tape.stt.StreamSink`."""

    def __init__(self, new: NewCassette):
        self._new = new
        self._began_us = 0
        self._base_us = 0
        self._request: Mapping[str, Json] = {}
        self._events: list[Json] = []

    def listen(self, t_us: int, request: Mapping[str, Json], base_us: int) -> str:
        """The stream has begun."""
        self._began_us, self._request, self._base_us = t_us, request, base_us
        return ""

    def heard(self, id: str, event: Mapping[str, Json]) -> None:
        """It said something."""
        self._events.append(dict(event))

    def listened(self, id: str, t_us: int, ending: str, error: Json) -> None:
        """It has ended."""
        response: dict[str, Json] = {
            "ending": ending,
            "base_us": self._base_us,
            "closed_us": t_us,
            "events": self._events,
        }
        if error is not None:
            response["error"] = error
        self._new.add("stt", self._began_us, self._request, response)
