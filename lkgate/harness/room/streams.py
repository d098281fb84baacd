"""Text and byte streams: opened by one participant, read by the others as they grow."""

from __future__ import annotations

import itertools
import mimetypes
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from livekit.rtc._proto import data_stream_pb2, e2ee_pb2, ffi_pb2, room_pb2

from lkgate.harness.room.client import Client
from lkgate.harness.room.ffi import Handler, Inbox, VirtualFfi
from lkgate.harness.room.hub import Hub

Kind = Literal["text", "byte"]
Info = data_stream_pb2.TextStreamInfo | data_stream_pb2.ByteStreamInfo
Options = data_stream_pb2.StreamTextOptions | data_stream_pb2.StreamByteOptions


@dataclass(slots=True)
class _Stream:
    """One stream on its way. ``readers``: handles at those who receive it."""

    kind: Kind
    sender: Client
    info: Info
    destinations: list[str]
    readers: list[int] = field(default_factory=list)
    closed: bool = False


@dataclass(slots=True)
class _Reader:
    """What arrived before the program began to read, ``None`` once it reads, and where."""

    held: list[ffi_pb2.FfiEvent] | None = field(default_factory=list)
    inbox: Inbox | None = None


class Streams:
    """The part of the virtual server that passes streams on."""

    def __init__(self, ffi: VirtualFfi, hub: Hub) -> None:
        self._ffi = ffi
        self._hub = hub
        self._ids = itertools.count(1)
        self._writers: dict[int, _Stream] = {}
        self._readers: dict[int, _Reader] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "text_stream_open": self._open_text,
            "text_stream_write": lambda req, resp: self._write("text", req, req.text, resp),
            "text_stream_close": lambda req, resp: self._close("text", req, resp),
            "byte_stream_open": self._open_bytes,
            "byte_stream_write": lambda req, resp: self._write("byte", req, req.bytes, resp),
            "byte_stream_close": lambda req, resp: self._close("byte", req, resp),
            "send_text": self._send_text,
            "send_bytes": self._send_bytes,
            "send_file": self._send_file,
            "text_read_incremental": self._read,
            "byte_read_incremental": self._read,
        }

    # -- the hub's Part

    def list_for(
        self, client: Client, other: Client, listed: room_pb2.ConnectCallback.ParticipantWithTracks
    ) -> None:
        """A newcomer gets no part of a stream that was opened before."""

    def leaves(self, client: Client) -> None:
        for handle, stream in list(self._writers.items()):
            if stream.sender is client:
                del self._writers[handle]
                error = data_stream_pb2.StreamError(description="the sender left the room")
                self._finish(stream, {}, error)

    def left(self, client: Client, other: Client) -> None:
        """Nothing to withdraw."""

    # -- sending

    def _open_text(self, req: data_stream_pb2.TextStreamOpenRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.text_stream_open)
        stream = self._text(req.local_participant_handle, req.options)
        owned = data_stream_pb2.OwnedTextStreamWriter()
        owned.info.MergeFromString(stream.info.SerializeToString())
        owned.handle.id = self._writer(stream)
        self._hub.answer("text_stream_open", ask, writer=owned)

    def _open_bytes(self, req: data_stream_pb2.ByteStreamOpenRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.byte_stream_open)
        stream = self._bytes(req.local_participant_handle, req.options)
        owned = data_stream_pb2.OwnedByteStreamWriter()
        owned.info.MergeFromString(stream.info.SerializeToString())
        owned.handle.id = self._writer(stream)
        self._hub.answer("byte_stream_open", ask, writer=owned)

    def _write(self, kind: Kind, req: Any, content: str | bytes, resp: Any) -> None:
        ask = self._ffi.ask(getattr(resp, f"{kind}_stream_write"))
        stream = self._writers.get(req.writer_handle)
        if stream is None:
            error = data_stream_pb2.StreamError(description="the stream is closed")
            self._hub.answer(f"{kind}_stream_writer_write", ask, error=error)
            return
        self._chunk(stream, content)
        self._hub.answer(f"{kind}_stream_writer_write", ask)

    def _close(self, kind: Kind, req: Any, resp: Any) -> None:
        ask = self._ffi.ask(getattr(resp, f"{kind}_stream_close"))
        stream = self._writers.pop(req.writer_handle, None)
        if stream is not None:
            self._finish(stream, dict(req.attributes), None)
        self._hub.answer(f"{kind}_stream_writer_close", ask)

    def _send_text(self, req: data_stream_pb2.StreamSendTextRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.send_text)
        stream = self._text(req.local_participant_handle, req.options)
        stream.info.total_length = len(req.text.encode())
        self._whole(stream, req.text)
        self._hub.answer("send_text", ask, info=stream.info)

    def _send_bytes(self, req: data_stream_pb2.StreamSendBytesRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.send_bytes)
        stream = self._bytes(req.local_participant_handle, req.options)
        stream.info.total_length = len(req.bytes)
        self._whole(stream, req.bytes)
        self._hub.answer("send_bytes", ask, info=stream.info)

    def _send_file(self, req: data_stream_pb2.StreamSendFileRequest, resp: Any) -> None:
        ask = self._ffi.ask(resp.send_file)
        try:
            content = Path(req.file_path).read_bytes()
        except OSError as failure:
            error = data_stream_pb2.StreamError(description=str(failure))
            self._hub.answer("send_file", ask, error=error)
            return
        options = data_stream_pb2.StreamByteOptions()
        options.CopyFrom(req.options)
        if not options.mime_type:
            options.mime_type = mimetypes.guess_type(req.file_path)[0] or ""
        stream = self._bytes(req.local_participant_handle, options)
        stream.info.total_length = len(content)
        self._whole(stream, content)
        self._hub.answer("send_file", ask, info=stream.info)

    def _text(self, handle: int, options: data_stream_pb2.StreamTextOptions) -> _Stream:
        info = data_stream_pb2.TextStreamInfo(
            stream_id=options.id or f"st_{next(self._ids)}",
            timestamp=int(time.time() * 1000),
            mime_type="text/plain",
            topic=options.topic,
            attributes=options.attributes,
            operation_type=options.operation_type,
            version=options.version,
            reply_to_stream_id=options.reply_to_stream_id,
            attached_stream_ids=options.attached_stream_ids,
            generated=options.generated,
            encryption_type=e2ee_pb2.NONE,
        )
        return self._start("text", handle, info, options)

    def _bytes(self, handle: int, options: data_stream_pb2.StreamByteOptions) -> _Stream:
        info = data_stream_pb2.ByteStreamInfo(
            stream_id=options.id or f"st_{next(self._ids)}",
            timestamp=int(time.time() * 1000),
            mime_type=options.mime_type or "application/octet-stream",
            topic=options.topic,
            attributes=options.attributes,
            name=options.name or "unknown",
            encryption_type=e2ee_pb2.NONE,
        )
        if options.HasField("total_length"):
            info.total_length = options.total_length
        return self._start("byte", handle, info, options)

    def _start(self, kind: Kind, handle: int, info: Info, options: Options) -> _Stream:
        client = self._hub.client(handle)
        stream = _Stream(kind, client, info, list(options.destination_identities))
        self._hub.later(lambda: self._arrive(stream))
        return stream

    def _writer(self, stream: _Stream) -> int:
        handle = self._ffi.handle()
        self._writers[handle] = stream
        self._ffi.own(handle, lambda: self._abandon(handle))
        return handle

    def _abandon(self, handle: int) -> None:
        stream = self._writers.pop(handle, None)
        if stream is not None:
            error = data_stream_pb2.StreamError(description="the sender dropped the stream")
            self._finish(stream, {}, error)

    def _whole(self, stream: _Stream, content: str | bytes) -> None:
        if content:
            self._chunk(stream, content)
        self._finish(stream, {}, None)

    def _chunk(self, stream: _Stream, content: str | bytes) -> None:
        def event(handle: int) -> ffi_pb2.FfiEvent:
            received = ffi_pb2.FfiEvent()
            if isinstance(content, str):
                received.text_stream_reader_event.reader_handle = handle
                received.text_stream_reader_event.chunk_received.content = content
            else:
                received.byte_stream_reader_event.reader_handle = handle
                received.byte_stream_reader_event.chunk_received.content = content
            return received

        self._pass_on(stream, event)

    def _finish(
        self,
        stream: _Stream,
        attributes: dict[str, str],
        error: data_stream_pb2.StreamError | None,
    ) -> None:
        def event(handle: int) -> ffi_pb2.FfiEvent:
            received = ffi_pb2.FfiEvent()
            message = getattr(received, f"{stream.kind}_stream_reader_event")
            message.reader_handle = handle
            message.eos.SetInParent()
            message.eos.attributes.update(attributes)
            if error is not None:
                message.eos.error.CopyFrom(error)
            return received

        self._pass_on(stream, event, last=True)

    # -- receiving

    def _arrive(self, stream: _Stream) -> None:
        for client in self._hub.others(stream.sender, stream.destinations):
            if not client.streams:
                continue
            handle = self._ffi.handle()
            stream.readers.append(handle)
            self._readers[handle] = _Reader()
            self._ffi.own(handle, _forget(self._readers, handle))
            if isinstance(stream.info, data_stream_pb2.TextStreamInfo):
                text = room_pb2.TextStreamOpened(participant_identity=stream.sender.identity)
                text.reader.handle.id = handle
                text.reader.info.CopyFrom(stream.info)
                client.tell(text_stream_opened=text)
            else:
                data = room_pb2.ByteStreamOpened(participant_identity=stream.sender.identity)
                data.reader.handle.id = handle
                data.reader.info.CopyFrom(stream.info)
                client.tell(byte_stream_opened=data)

    def _pass_on(
        self, stream: _Stream, event: Callable[[int], ffi_pb2.FfiEvent], *, last: bool = False
    ) -> None:
        def arrive() -> None:
            for handle in stream.readers:
                reader = self._readers.get(handle)
                if reader is None:  # it was let go of
                    continue
                if reader.held is not None:
                    reader.held.append(event(handle))
                    continue
                self._ffi.put(event(handle), reader.inbox)
                if last:
                    del self._readers[handle]

        self._hub.later(arrive)

    def _read(self, req: Any, resp: Any) -> None:
        reader = self._readers.get(req.reader_handle)
        if reader is None or reader.held is None:
            return
        reader.inbox = self._ffi.asker()
        held, reader.held = reader.held, None
        for event in held:
            self._ffi.put(event, reader.inbox)


def _forget(readers: dict[int, _Reader], handle: int) -> Callable[[], object]:
    return lambda: readers.pop(handle, None)
