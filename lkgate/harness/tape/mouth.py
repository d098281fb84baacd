"""The agent's voice in a replay: recorded, cut from the recorded track, or made up."""

from __future__ import annotations

from typing import Any, Literal

from livekit.agents import AgentSession, ConversationItemAddedEvent, llm, tts

from lkgate.cassette import key_of, outside
from lkgate.cassette.keys import Request, words
from lkgate.harness.tape import request, speech
from lkgate.harness.tape.answers import Answers, Source, is_untimed, source_of
from lkgate.harness.tape.cuts import Cut, Cuts
from lkgate.harness.tape.deck import Voice
from lkgate.harness.tape.place import session_here
from lkgate.harness.tape.text import Text
from lkgate.harness.tape.voice import (
    BEYOND_US,
    Maker,
    Other,
    Sound,
    known_us,
    make_up,
    play_cut,
)

Policy = Literal["error", "estimate", "live"]

_OTHERWISE = "it began like a recorded text and went on differently"
_SPOKEN_ON = (
    "the recording knows these words up to where the caller interrupted them, and now they were "
    "spoken on"
)


class Mouth:
    """Speaks what can be spoken without a provider.

    Args:
        early: begin as soon as there is only one thing that a text can become.
        policy: for new text.
    """

    def __init__(self, answers: Answers, *, early: bool, policy: Policy):
        self._answers = answers
        self._early = early
        self._policy = policy
        self._shelf = speech.Shelf(answers.cassette)
        self._cuts = Cuts(answers.cassette)
        self._maker = Maker(answers.cassette)

    async def speak(self, stream: Voice, emitter: tts.AudioEmitter, text: Text) -> bool:
        """Speak if it can be spoken; ``False`` leaves it to whoever is asked then."""
        found = await speech.find(stream, text, self._shelf, self._cuts, early=self._early)
        try:
            if isinstance(found, Cut):
                if found.known or self._early:
                    await self._cut(stream, emitter, text, found)
                    return True
            elif found is not None:
                key = request.of_tts(stream._tts, found)
                exchange = self._answers.take("tts", key)
                assert exchange is not None  # the shelf was made from the cassette
                if exchange.whole or self._early:
                    self._told(stream, found, source_of(exchange))
                    await speech.play(stream, emitter, text, exchange, self._answers)
                    return True
        except Other as other:
            if self._policy != "estimate":
                wanted = self._wanted(stream, text.words)
                raise self._answers.failure("tts", wanted, _OTHERWISE) from None
            return await self._estimate(other.sound, text, other.said)
        if text.ended and not text.words:
            speech.silence(stream, emitter)
            return True
        if self._policy != "estimate":
            return False
        model = stream._tts
        kind = self._maker.kind_for(model.sample_rate, model.num_channels)
        if kind is None:
            return False  # nothing to make it of
        sound = Sound(stream, emitter, "lkgate-estimated", *kind)
        while not text.words and not text.ended:
            await text.change()
        await self._answers.until(text.first_us + self._maker.wait_us)
        return await self._estimate(sound, text, 0)

    def failure(self, stream: Voice, text: Text) -> Exception:
        """Report that there is no such speech; the error to raise."""
        return self._answers.failure("tts", self._wanted(stream, text.words))

    async def _estimate(self, sound: Sound, text: Text, said: int) -> bool:
        if self._maker.kind_for(sound.rate_hz, sound.channels) != (sound.rate_hz, sound.channels):
            wanted = self._wanted(sound.stream, text.words)
            raise self._answers.failure("tts", wanted, _OTHERWISE)
        self._told(sound.stream, text.words, "estimated")
        await make_up(sound, text, self._maker, said=said)
        sound.end()
        return True

    async def _cut(self, stream: Voice, emitter: tts.AudioEmitter, text: Text, cut: Cut) -> None:
        self._told(stream, cut.text, "derived", untimed=cut.opens and is_untimed(cut.exchange))
        sound = await play_cut(stream, emitter, text, cut, self._answers)
        if not cut.known:
            kind = (sound.rate_hz, sound.channels)
            if self._maker.kind_for(*kind) == kind:
                sound.push(self._maker.sound(kind, 0, BEYOND_US))
            session = session_here()
            if session is None:
                raise self._answers.failure("tts", self._wanted(stream, cut.text), _SPOKEN_ON)
            self._watch(session, stream, cut)
        sound.end()

    def _watch(self, session: AgentSession[Any], stream: Voice, cut: Cut) -> None:
        """Look whether what follows the known part is heard, and whether it is heard out."""
        ended: list[bool] = []

        def beyond() -> None:
            if not ended and session.agent_state == "speaking":
                self._told(stream, cut.text, "estimated")

        def added(event: ConversationItemAddedEvent) -> None:
            item = event.item
            if not isinstance(item, llm.ChatMessage) or item.role != "assistant":
                return
            ended.append(True)
            later.cancel()
            session.off("conversation_item_added", added)
            same = words(item.text_content or "").endswith(cut.text)
            if same and not item.interrupted and self._policy != "estimate":
                self._answers.missed("tts", self._wanted(stream, cut.text), _SPOKEN_ON)

        later = session._loop.call_later(known_us(cut.exchange) / 1e6, beyond)
        session.on("conversation_item_added", added)

    def _told(self, stream: Voice, text: str, source: Source, *, untimed: bool = False) -> None:
        key = key_of("tts", self._wanted(stream, text))
        self._answers.told("tts", key, source, untimed=untimed)

    def _wanted(self, stream: Voice, text: str) -> Request:
        if self._cuts.empty:
            return request.of_tts(stream._tts, text)
        return outside.speech(text)
