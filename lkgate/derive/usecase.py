"""The use case: a recording's derived cassette, beside the recording or in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle import read, reseal
from lkgate.cassette import Exchange, key_of
from lkgate.cassette.blobs import Blobs
from lkgate.cassette.compact import compact
from lkgate.cassette.exchange import encode
from lkgate.cassette.packing import pack
from lkgate.cassette.store import INDEX
from lkgate.derive import hear, speak, think, tools
from lkgate.derive.answer import Answer
from lkgate.derive.talk import Said, Talk, talk_of
from lkgate.errors import BundleError, ReplayError
from lkgate.model.bundle import Bundle
from lkgate.model.turn import Modality

CASSETTE = "cassette"


@dataclass(frozen=True, slots=True)
class Derived:
    """What a derived cassette holds.

    Attributes:
        counts: answers by modality.
        lacks: what the recording does not tell and a replay of it will lack, a sentence each.
    """

    counts: Mapping[Modality, int]
    lacks: Sequence[str]


def derive(recording: Path, bundle: Bundle, out: Path) -> Derived:
    """Write the derived cassette of a recording into the directory ``out``, which has none.

    Args:
        recording: the bundle, a directory or an archive.

    Raises:
        ReplayError: nothing in the recording tells what was said.
    """
    talk = talk_of(bundle)
    blobs = Blobs(out)
    found: list[Answer] = [
        *hear.answers(bundle),
        *think.answers(talk, hear.finals(bundle)),
        *tools.answers(talk),
        *speak.answers(bundle, recording, talk, blobs.put),
    ]
    if not found:
        raise ReplayError(
            "the recording holds no cassette and does not tell what was said, so nothing can "
            "answer the build's models",
            where=str(recording),
            next_step="Record calls with `lkgate record --build`; or import them with a "
            "transcript; or add what is missing with `--models record`.",
        )
    found.sort(key=lambda answer: (answer.t_us, answer.modality))
    ordinals: dict[tuple[Modality, str], int] = {}
    counts: dict[Modality, int] = {}
    lines: list[str] = []
    for answer in found:
        key = key_of(answer.modality, answer.request)
        ordinal = ordinals.get((answer.modality, key), 0)
        ordinals[answer.modality, key] = ordinal + 1
        counts[answer.modality] = counts.get(answer.modality, 0) + 1
        request = pack(answer.request, blobs.put)
        exchange = Exchange(
            answer.modality, key, ordinal, answer.t_us, request, answer.response, "derived"
        )
        lines.append(encode(exchange))
    out.mkdir(parents=True, exist_ok=True)
    (out / INDEX).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    # Also where it is not kept: reading another form takes other time, and replays would differ.
    compact(out)
    return Derived(counts, tuple(_lacks(talk, counts)))


def keep_derived(recording: Path) -> Derived:
    """Write a recording's derived cassette into it, and seal it again.

    Raises:
        BundleError: the recording is not whole, is an archive, or holds a cassette already.
        ReplayError: it does not tell what was said.
    """
    bundle = read(recording)
    kind = bundle.manifest.cassette
    if bundle.manifest.source == "replay":
        raise BundleError("this is a replay, not a recording", where=str(recording))
    if kind != "none":
        raise BundleError(
            f"the recording holds a {kind} cassette already",
            where=str(recording),
            next_step=f"To derive it again, remove {recording / CASSETTE} and run "
            f"`lkgate seal {recording}` first."
            if kind == "derived"
            else "Nothing has to be derived for it.",
        )
    if not recording.is_dir():
        raise BundleError(
            "nothing can be added to an archive",
            where=str(recording),
            next_step="Unpack it into a directory first: lkgate unpack",
        )
    made = derive(recording, bundle, recording / CASSETTE)
    reseal(recording, cassette="derived")
    return made


def _lacks(talk: Talk, counts: Mapping[Modality, int]) -> list[str]:
    lacks: list[str] = []
    if "stt" not in counts:
        lacks.append("it holds no transcript of the caller: what the caller says is not heard")
    if "llm" not in counts:
        lacks.append("it holds none of the agent's words: the language model has no answers")
    if not talk.session:
        lacks.append("it knows of no tool: a call of one is a miss, or goes by [tool.lkgate.tools]")
    if not talk.timed:
        lacks.append("it holds none of LiveKit's latencies: models answer at once")
    mute = sum(1 for item in talk.items if isinstance(item, Said) and item.who == "assistant")
    mute -= counts.get("tts", 0)
    if mute > 0:
        lacks.append(f"the sound of {mute} of the agent's messages cannot be told apart on a track")
    return lacks
