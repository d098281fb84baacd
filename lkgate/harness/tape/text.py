"""The text that is to be spoken, as it arrives."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import tts
from livekit.agents.utils import aio

from lkgate.cassette import keys
from lkgate.harness.tape.answers import Now
from lkgate.harness.tape.deck import Voice

# Characters of normalised text, flushes, whether it has ended.
Position = tuple[int, int, bool]


class Text:
    """Reads what is pushed into a stream, or takes the text that it was made with.

    A context manager: reading ends with the block.
    """

    def __init__(self, stream: Voice, now_us: Now):
        self._stream = stream
        self._now_us = now_us
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._pieces: list[Any] = []
        self._raw = ""
        self._flushes = 0
        self.ended = False
        self.first_us = self.last_us = now_us()
        self._arrived: list[tuple[Position, int]] = []

    async def __aenter__(self) -> Text:
        if isinstance(self._stream, tts.SynthesizeStream):
            self._task = asyncio.create_task(self._read(self._stream), name="lkgate.text")
        else:
            self._raw, self.ended = self._stream.input_text, True
            self._note()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await aio.cancel_and_wait(self._task)

    @property
    def words(self) -> str:
        """Normalised."""
        return keys.words(self._raw)

    async def change(self) -> None:
        """Wait until more has arrived."""
        self._changed.clear()
        await self._changed.wait()

    def since_us(self, position: Position) -> int | None:
        """When so much had arrived first, ``None`` if it has not.

        Once the text has ended, nothing more will come: then everything has arrived.
        """
        for (chars, flushes, ended), at_us in self._arrived:
            enough = chars >= position[0] and flushes >= position[1] and not position[2]
            if enough or ended:
                return at_us
        return None

    def give_back(self) -> None:
        """Put what was read into a fresh channel of the stream, for the provider's own class.

        Only where the text has ended.
        """
        if isinstance(self._stream, tts.SynthesizeStream):
            channel: aio.Chan[Any] = aio.Chan()
            for piece in self._pieces:
                channel.send_nowait(piece)
            channel.close()
            self._stream._input_ch = channel

    async def _read(self, stream: tts.SynthesizeStream) -> None:
        async for piece in stream._input_ch:
            self._pieces.append(piece)
            if isinstance(piece, str):
                self._raw += piece
            else:
                self._flushes += 1
            self._note()
        self.ended = True
        self._note()

    def _note(self) -> None:
        self.last_us = self._now_us()
        self._arrived.append(((len(self.words), self._flushes, self.ended), self.last_us))
        self._changed.set()
