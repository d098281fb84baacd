"""Text and byte streams of a room, read to their end and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TypeVar

from google.protobuf.message import DecodeError
from livekit import rtc
from livekit.protocol.agent_pb import agent_session as pb

from lkgate.capture.fields import MAX_CONTENT_BYTES, wanted
from lkgate.capture.session import SessionDecoder
from lkgate.model.event import Json

TOPIC_CHAT = "lk.chat"
TOPIC_SESSION = "lk.agent.session"
TOPIC_TRANSCRIPTION = "lk.transcription"

MAX_TEXT_BYTES = 262_144
"""Of one text of LiveKit's own: no turn of a call is as long."""
MAX_MESSAGE_BYTES = 4_194_304
"""Of one message of an agent's session, which may hold what a tool returned."""

_HANDLERS = ("_text_stream_handlers", "_byte_stream_handlers")

Note = Callable[[str, Mapping[str, Json]], None]
Handler = TypeVar("Handler")


class StreamCapture:
    """Reads every stream that a participant opens.

    An event is written when its stream ends, at that moment's time. Session messages of one
    sender are read one after another, as the agent sent them: a task for each would let two
    streams finish out of order. Streams that people hear or read as they grow (transcriptions)
    each have a task of their own, for the agent's stays open as long as it speaks.
    ``session_usage_updated``, sent every second, is written where it differs from the last.

    ``topics`` are those of text whose content is written besides LiveKit's own, ``None`` for all.
    rtc.Room hands a stream only to a handler of its exact topic, and these are registered. Where
    the room keeps its handlers in plain dictionaries, as rtc.Room 1.1 does privately, a stream of
    any other topic is caught too. Whatever somebody sends, no more of it is kept in memory than may
    be written: of LiveKit's own text ``MAX_TEXT_BYTES``, and the event says that it is cut short.
    A stream that ``admits`` denies when it is opened is not read.
    """

    def __init__(
        self,
        room: rtc.Room,
        *,
        note: Note,
        spawn: Callable[[Coroutine[None, None, None]], asyncio.Task[None]],
        now_us: Callable[[], int],
        started_at_unix_us: int | None,
        topics: tuple[str, ...] | None,
        admits: Callable[[], bool],
    ):
        self.room = room
        self._note = note
        self._spawn = spawn
        self._now_us = now_us
        self._decoder = SessionDecoder(started_at_unix_us)
        self._wanted = topics
        self._topics = topics or ()
        self._admits = admits
        self._lanes: dict[str, asyncio.Queue[rtc.ByteStreamReader]] = {}
        self._usage: dict[str, Json] = {}
        self._told: set[str] | None = None

    def start(self) -> None:
        """Register the handlers. At once, so that no stream is missed."""
        for topic in (TOPIC_TRANSCRIPTION, TOPIC_CHAT, *self._topics):
            self.room.register_text_stream_handler(topic, self._on_text)
        for topic in (TOPIC_SESSION, *self._topics):
            self.room.register_byte_stream_handler(topic, self._on_bytes)
        for name, fallback in zip(_HANDLERS, (self._on_text, self._on_bytes), strict=True):
            _catch_all(self.room, name, fallback)

    def overhear(self, room: rtc.Room) -> None:
        """Also take what an agent's session tells the participant who ``room`` is alone.

        Python's agents tell everybody, Node's the participant whom they talk to. A message that
        comes both ways is written once.
        """
        self._told = set()
        room.register_byte_stream_handler(TOPIC_SESSION, self._on_bytes)

    def stop(self) -> None:
        for topic in (TOPIC_TRANSCRIPTION, TOPIC_CHAT, *self._topics):
            self.room.unregister_text_stream_handler(topic)
        for topic in (TOPIC_SESSION, *self._topics):
            self.room.unregister_byte_stream_handler(topic)
        for name in _HANDLERS:
            handlers = vars(self.room).get(name)
            if isinstance(handlers, _CatchAll):
                vars(self.room)[name] = dict(handlers)

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if self._admits():
            self._spawn(self._read_text(reader, identity))

    def _on_bytes(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        if not self._admits():
            return
        if reader.info.topic != TOPIC_SESSION:
            self._spawn(self._read_bytes(reader, identity))
            return
        if self._told is not None:
            if reader.info.stream_id in self._told:
                return
            self._told.add(reader.info.stream_id)
        lane = self._lanes.get(identity)
        if lane is None:
            lane = self._lanes[identity] = asyncio.Queue()
            self._spawn(self._read_lane(lane, identity))
        lane.put_nowait(reader)

    async def _read_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        started_us = self._now_us()
        text = _Text(self._most(reader.info.topic))
        cut_short: str | None = None
        try:
            async for chunk in reader:
                text.add(chunk)
        except rtc.StreamError as error:
            cut_short = error.description
        except asyncio.CancelledError:
            self._text(reader.info, identity, text, started_us, "the recording ended")
            raise
        self._text(reader.info, identity, text, started_us, cut_short)

    def _most(self, topic: str) -> int | None:
        """How many bytes of a text of this topic may be written; ``None``: all."""
        if topic in (TOPIC_TRANSCRIPTION, TOPIC_CHAT):
            return MAX_TEXT_BYTES
        if self._wanted is None:
            return None
        return MAX_CONTENT_BYTES if topic in self._wanted else 0

    def _text(
        self,
        info: rtc.TextStreamInfo,
        identity: str,
        said: _Text,
        started_us: int,
        cut_short: str | None,
    ) -> None:
        attributes = info.attributes or {}
        text = said.kept
        data: dict[str, Json]
        if info.topic == TOPIC_TRANSCRIPTION:
            kind = "transcription"
            data = {
                "identity": identity,
                "segment_id": attributes.get("lk.segment_id"),
                "track_sid": attributes.get("lk.transcribed_track_id"),
                "final": attributes.get("lk.transcription_final") == "true",
                "text": text,
                "started_us": started_us,
            }
        elif info.topic == TOPIC_CHAT:
            kind = "chat"
            data = {"identity": identity, "text": text}
        else:
            kind = "text_stream"
            data = {
                "identity": identity,
                "topic": info.topic,
                "bytes": said.bytes,
                "text": text,
                "attributes": dict(attributes),
            }
            if not wanted(info.topic, said.bytes, self._wanted):
                del data["text"]
        if info.topic in (TOPIC_TRANSCRIPTION, TOPIC_CHAT) and said.full:
            cut_short = f"it has {said.bytes} bytes, and {MAX_TEXT_BYTES} are kept"
        if cut_short is not None:
            data["cut_short"] = cut_short
        self._note(kind, data)

    async def _read_bytes(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        info = reader.info
        data: dict[str, Json] = {"identity": identity, "topic": info.topic, "name": info.name}
        size = 0
        try:
            async for chunk in reader:
                size += len(chunk)
        except rtc.StreamError as error:
            data["cut_short"] = error.description
        data["bytes"] = size
        data["mime_type"] = info.mime_type
        self._note("byte_stream", data)

    async def _read_lane(self, lane: asyncio.Queue[rtc.ByteStreamReader], identity: str) -> None:
        while True:
            await self._read_session(await lane.get(), identity)

    async def _read_session(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        content = bytearray()
        size = 0
        message = pb.AgentSessionMessage()
        try:
            async for chunk in reader:
                size += len(chunk)
                if size <= MAX_MESSAGE_BYTES:
                    content += chunk
            if size > MAX_MESSAGE_BYTES:
                self._undecoded(identity, size, f"it is larger than {MAX_MESSAGE_BYTES} bytes")
                return
            message.ParseFromString(bytes(content))
        except (rtc.StreamError, DecodeError) as error:
            self._undecoded(identity, size, str(error))
            return
        if message.WhichOneof("message") != "event":
            # A request or a response of some other client of the session: not ours to interpret.
            self._note(
                "byte_stream",
                {
                    "identity": identity,
                    "topic": TOPIC_SESSION,
                    "bytes": len(content),
                    "message": message.WhichOneof("message"),
                },
            )
            return
        event = self._decoder.decode(message.event)
        if event is None:
            self._undecoded(identity, len(content), "an event that this livekit-protocol lacks")
            return
        kind, data = event
        if kind == "session_usage_updated":
            if self._usage.get(identity) == data["usage"]:
                return
            self._usage[identity] = data["usage"]
        self._note(kind, {"identity": identity, **data})

    def _undecoded(self, identity: str, size: int, error: str) -> None:
        self._note(
            "lkgate.undecoded",
            {"identity": identity, "topic": TOPIC_SESSION, "bytes": size, "error": error},
        )


class _Text:
    """A text that grows, of which the beginning is kept.

    Attributes:
        bytes: of all of it, in UTF-8.
        full: whether it is longer than what is kept.
    """

    def __init__(self, most: int | None):
        self.bytes = 0
        self.full = False
        self._most = most
        self._parts: list[str] = []

    def add(self, chunk: str) -> None:
        encoded = chunk.encode()
        left = None if self._most is None else self._most - self.bytes
        self.bytes += len(encoded)
        if left is None or len(encoded) <= left:
            self._parts.append(chunk)
        elif not self.full:
            self.full = True
            # Not half a character.
            self._parts.append(encoded[:left].decode(errors="ignore"))

    @property
    def kept(self) -> str:
        return "".join(self._parts)


class _CatchAll(dict[str, Handler]):
    """Handlers by topic, with one for every topic that has none."""

    def __init__(self, known: Mapping[str, Handler], fallback: Handler):
        super().__init__(known)
        self._fallback = fallback

    def get(self, key: str, default: object = None) -> Handler:
        return super().get(key, self._fallback)


def _catch_all(room: rtc.Room, name: str, fallback: Handler) -> None:
    known = vars(room).get(name)
    if type(known) is dict:
        vars(room)[name] = _CatchAll(known, fallback)
