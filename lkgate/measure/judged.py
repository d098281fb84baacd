"""``judge:NAME``: whether a judge of the settings passed the call.

What judges said are events in memory, as what was heard is (see ``lkgate.listen``): a metric
of them is a pure function like all others, and no judgement is a hole in the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from lkgate.measure import field
from lkgate.measure.metric import Metric, spec
from lkgate.measure.oneoff import PREFIX as ONE_OFF
from lkgate.measure.oneoff import one_off
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.model.measurement import Sample

PREFIX = "judge:"
JUDGEMENT = "lkgate.judgement"
_SAYS = {"pass": 1.0, "fail": 0.0}


def is_own(name: str) -> bool:
    """Whether a metric is a gate's own: in no registry, known by its whole name."""
    return name.startswith((ONE_OFF, PREFIX))


def own(name: str) -> Metric:
    """A gate's own metric.

    Raises:
        ConfigError: as :func:`~lkgate.measure.oneoff.one_off`.
    """
    return judged(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else one_off(name)


@cache
def judged(judge: str) -> Metric:
    """The metric of one judge: 1 for a call that most of its votes passed, 0 for one they failed.

    There is nothing to show for a call that it did not judge or is undecided about.
    """
    return Metric(
        spec(
            f"{PREFIX}{judge}", "ratio", "higher", "call", "rate", None,
            ("caller_transcript", "agent_transcript"),
            f"Whether most votes of the judge {judge} passed the call.",
            source="livekit.agents.evals",
            misleads="It is a language model's opinion of a transcript: see docs/judges.md.",
        ),
        _samples(judge),
    )  # fmt: skip


def _samples(judge: str) -> Callable[[Session], Iterator[Sample]]:
    def samples(session: Session) -> Iterator[Sample]:
        said = [e for e in session.of_kind(JUDGEMENT) if e.data.get("judge") == judge]
        if not said:
            yield absent(None, session.whole, f"the judge {judge} was not asked")
            return
        data = said[-1].data
        verdict, note = field.text(data, "verdict"), field.text(data, "note")
        if data.get("applies") is False:
            yield inapplicable(None, session.whole, note or "there is nothing to judge")
        elif verdict in _SAYS:
            yield measured(_SAYS[verdict], None, session.whole, note)
        else:
            yield absent(None, session.whole, note or f"the judge {judge} said nothing")

    return samples
