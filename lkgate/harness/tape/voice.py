"""Speech that was cut from a recorded call, and speech that is made up: whole or as text arrives.

``response`` of a derived exchange (:mod:`lkgate.derive`): ``ending``, ``took_us``, ``ttfb_us``,
``audio`` (the agent's voice, see :mod:`lkgate.harness.tape.tts`) and ``words``: ``[characters,
bytes]`` of normalised text and of audio up to the end of each word.

A message that the caller cut short is known up to there (``cancelled``). A build that speaks on
would fall silent where the recorded agent was interrupted, as if it had been too. So a second of
made-up speech follows the known; if it comes to its end uninterrupted, that is a miss, or by the
policy ``estimate`` the end of what can be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from livekit.agents import tts

from lkgate.cassette import Cassette, Exchange
from lkgate.harness.tape.answers import Answers
from lkgate.harness.tape.cuts import Cut
from lkgate.harness.tape.deck import Voice
from lkgate.harness.tape.text import Text

# How long a build may take longer to notice an interruption than the recorded one did.
BEYOND_US = 1_000_000
_SAMPLE_BYTES = 2


@dataclass(slots=True)
class Sound:
    """Speech that goes into an emitter, in the way that its kind of stream wants it."""

    stream: Voice
    emitter: tts.AudioEmitter
    id: str
    rate_hz: int
    channels: int
    begun: bool = False
    in_segment: bool = False

    def push(self, pcm: bytes) -> None:
        """Whole samples of all channels; the first call begins the speech."""
        self._begin()
        if pcm:
            self.emitter.push(pcm)

    def end(self) -> None:
        """After everything else."""
        self._begin()
        if self.in_segment:
            self.emitter.end_segment()

    def _begin(self) -> None:
        streaming = isinstance(self.stream, tts.SynthesizeStream)
        if not self.begun:
            self.begun = True
            self.emitter.initialize(
                request_id=self.id,
                sample_rate=self.rate_hz,
                num_channels=self.channels,
                mime_type="audio/pcm",
                stream=streaming,
            )
        if isinstance(self.stream, tts.SynthesizeStream) and not self.in_segment:
            self.in_segment = True
            self.stream._mark_started()
            self.emitter.start_segment(segment_id=self.id)


class Other(Exception):  # noqa: N818 (how a text goes on is no error by itself)
    """A text went on differently than the recorded one that it began like.

    Attributes:
        sound: what has been spoken so far, still open.
        said: characters of the text that it has spoken.
    """

    def __init__(self, sound: Sound, said: int):
        super().__init__(said)
        self.sound = sound
        self.said = said


async def play_cut(
    stream: Voice, emitter: tts.AudioEmitter, text: Text, cut: Cut, answers: Answers
) -> Sound:
    """Speak a stretch of the agent's track while its text arrives, and leave it open.

    Raises:
        Other: the text becomes another one.
    """
    response = cut.exchange.response
    audio = cast("dict[str, Any]", response["audio"])
    pcm = answers.cassette.blob(str(audio["blob"]))[cut.skipped :]
    name = f"lkgate-{cut.exchange.key[:8]}-{cut.first}"
    rate_hz, channels = int(audio["sample_rate_hz"]), int(audio["channels"])
    sound = Sound(stream, emitter, name, rate_hz, channels)
    begun_us = text.first_us + (cast(int, response["ttfb_us"]) if cut.opens else 0)
    said = at = 0
    for chars, end in cut.steps:
        while (since_us := text.since_us((chars, 0, False))) is None:
            await text.change()
        await answers.until(max(since_us, begun_us))
        _fits(text, cut, sound, said)
        sound.push(pcm[at:end])
        said, at = chars, end
    while not text.ended:
        await text.change()
    _fits(text, cut, sound, said)
    return sound


def _fits(text: Text, cut: Cut, sound: Sound, said: int) -> None:
    so_far = text.words
    if so_far != cut.text if text.ended else not cut.text.startswith(so_far):
        raise Other(sound, said)


class Maker:
    """Makes up how the agent says new words: as fast as it spoke, in its own recorded voice.

    The sound is a recorded speech of the agent from its beginning, over and over: the right
    voice, loudness and pauses, saying something else.
    """

    def __init__(self, cassette: Cassette):
        self._cassette = cassette
        self._longest: dict[tuple[int, int], tuple[int, str]] = {}
        self._chars = self._heard_us = 0
        self._waits_us: list[int] = []
        for found in cassette.of("tts"):
            audio = found.response.get("audio")
            if not (found.whole and isinstance(audio, dict)):
                continue
            rate_hz, channels = cast(int, audio["sample_rate_hz"]), cast(int, audio["channels"])
            samples = _bytes_of(found) // (_SAMPLE_BYTES * channels)
            self._chars += len(str(cassette.request(found)["text"]))
            self._heard_us += samples * 1_000_000 // rate_hz
            self._waits_us.append(_wait_us(found))
            kind = (rate_hz, channels)
            self._longest[kind] = max(self._longest.get(kind, (0, "")), (samples, _blob(audio)))

    @property
    def us_per_char(self) -> float:
        """The recorded speaking rate; 0 if no speech was recorded."""
        return self._heard_us / self._chars if self._chars else 0.0

    @property
    def wait_us(self) -> int:
        """How long it usually took from the text to the first sound."""
        return sorted(self._waits_us)[len(self._waits_us) // 2] if self._waits_us else 0

    def kind_for(self, rate_hz: int, channels: int) -> tuple[int, int] | None:
        """Rate and channels of a recorded voice: these if there is one, else any."""
        kinds = sorted(self._longest)
        wanted = (rate_hz, channels)
        return wanted if wanted in self._longest else next(iter(kinds), None)

    def sound(self, kind: tuple[int, int], from_us: int, to_us: int) -> bytes:
        """The stretch of an endless speech."""
        rate_hz, channels = kind
        pcm = self._cassette.blob(self._longest[kind][1])
        step = _SAMPLE_BYTES * channels
        whole = len(pcm) // step
        first, last = from_us * rate_hz // 1_000_000, to_us * rate_hz // 1_000_000
        made = bytearray()
        while first < last and whole:
            at = first % whole
            take = min(whole - at, last - first)
            made += pcm[at * step : (at + take) * step]
            first += take
        return bytes(made)


async def make_up(sound: Sound, text: Text, maker: Maker, *, said: int = 0) -> None:
    """Speak what is beyond the first ``said`` characters, as it arrives; nothing is ended."""
    kind = (sound.rate_hz, sound.channels)
    spoken_us = 0
    while True:
        due_us = round(max(0, len(text.words) - said) * maker.us_per_char)
        if due_us > spoken_us:
            sound.push(maker.sound(kind, spoken_us, due_us))
            spoken_us = due_us
        if text.ended:
            return
        await text.change()


def known_us(found: Exchange) -> int:
    """How long a message's audio is, as far as it is known."""
    audio = cast("dict[str, Any]", found.response["audio"])
    samples = _bytes_of(found) // (_SAMPLE_BYTES * int(audio["channels"]))
    return samples * 1_000_000 // int(audio["sample_rate_hz"])


def _bytes_of(found: Exchange) -> int:
    """Length of an exchange's audio, from its operations: blobs are read when they are needed."""
    words = found.response.get("words")
    if isinstance(words, list):
        return cast(int, cast("list[Any]", words)[-1][1]) if words else 0
    ops = cast("list[list[Any]]", found.response["ops"])
    return max((op[4] for op in ops if op[0] in ("push", "frame")), default=0)


def _wait_us(found: Exchange) -> int:
    if found.origin == "derived":
        return cast(int, found.response["ttfb_us"])
    ops = cast("list[list[Any]]", found.response["ops"])
    return next((cast(int, op[1]) for op in ops if op[0] in ("push", "frame")), 0)


def _blob(audio: dict[str, Any]) -> str:
    return str(audio["blob"])
