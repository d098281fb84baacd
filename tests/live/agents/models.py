"""The demo's local models, as plain functions: ears, a policy and a voice.

All of their weights come with packages of the ``live`` extra. Each blocks: call them on threads.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import lkgate

sys.path.insert(0, str(Path(lkgate.__file__).parent / "demo" / "clinic"))

from intake import phrases
from intake.dialogue import Dialogue, Item, Reply, Told
from intake.plugins.hibari_tts import HibariTTS

if TYPE_CHECKING:
    from moonshine_voice.transcriber import Transcriber

__all__ = ["EAR_HZ", "Pcm", "Told", "answer", "load", "sentences", "speak", "transcribe"]

Pcm = NDArray[np.int16]
EAR_HZ = 16_000
# Without some quiet after it the last word is often misheard.
PAD_S = 0.4
SAY = "Say: "
NO_TOOL = "I am sorry, I cannot do that for you here."
_listening = threading.Lock()


def load() -> None:
    """Loads everything, so that the first caller does not wait for it."""
    transcribe(np.zeros(EAR_HZ, np.int16))
    speak("Hello.")


def transcribe(pcm: Pcm) -> str:
    """What is said in mono ``pcm`` of ``EAR_HZ``; empty where nothing is."""
    samples = np.concatenate([pcm, np.zeros(int(PAD_S * EAR_HZ), np.int16)]) / 32_768
    with _listening:
        lines = _ear().transcribe_without_streaming(samples.tolist(), EAR_HZ).lines
    return " ".join(line.text.strip() for line in lines).strip()


def answer(items: Sequence[Item], tools: Sequence[str]) -> Reply:
    """The next step after ``items``, for an agent that has ``tools``.

    An instruction ``Say: ...`` at the end is followed to the letter.
    """
    last = items[-1] if items else None
    if isinstance(last, Told) and last.text.startswith(SAY):
        return Reply(last.text.removeprefix(SAY))
    reply = Dialogue(phrases.PHRASES).reply(items, tools)
    if reply.call is not None and reply.call.tool not in tools:
        return Reply(NO_TOOL)
    return reply


def sentences(text: str) -> list[str]:
    """``text`` in the pieces in which it is spoken; together they are ``text``."""
    return re.findall(r"[^.?!]+[.?!]*\s*", text)


@functools.cache
def speak(text: str) -> Pcm:
    """``text`` as mono sound of 24 kHz."""
    return np.frombuffer(HibariTTS().speak(text), np.int16)


@functools.cache
def _ear() -> Transcriber:
    import moonshine_voice
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber

    weights = Path(moonshine_voice.__file__).parent / "assets" / "tiny-en"
    options: dict[str, Any] = {"return_audio_data": "false"}
    return Transcriber(str(weights), ModelArch.TINY, options=options)
