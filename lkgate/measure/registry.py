"""Every metric of a single session, by name.

The gate's schema, the docs and the command line read this table; a metric is one line of
``lkgate.measure.catalogue``, or a plugin's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache

from lkgate.measure.catalogue import call, floor, hearing, media, models, speech, tools
from lkgate.measure.judged import own as own_metric
from lkgate.measure.metric import Metric
from lkgate.measure.plugin import installed
from lkgate.measure.sample import missing, summarise
from lkgate.measure.session import Session
from lkgate.measure.words import TooLongError
from lkgate.model.measurement import Measurement, Sample

LAYERS: Mapping[str, tuple[Metric, ...]] = {
    "The whole call": call.METRICS,
    "Turn-taking": floor.METRICS,
    "Speech recognition": hearing.METRICS,
    "Reasoning": models.METRICS,
    "Tools": tools.METRICS,
    "Speech output": speech.METRICS,
    "Media": media.METRICS,
}
METRICS: Mapping[str, Metric] = {
    metric.spec.name: metric for metrics in LAYERS.values() for metric in metrics
}


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric, by name: lkgate's own, and those of the packages that are installed here.

    Raises:
        ConfigError: a plugin is broken, or takes a name that is taken.
    """
    return {**METRICS, **installed(METRICS)}


def measure(session: Session, metric: Metric) -> Measurement:
    """One metric of one session; a number that is none is missing evidence, never a value.

    A metric that is not lkgate's own and fails gives no value either: a gate that asks for it has
    no verdict, and all others keep theirs. Nor does one that would have to align texts without
    an end.
    """
    # A speech-to-speech build has no TTS: its bundle says so. What it says of media is another
    # thing, a kind of evidence.
    absent = session.bundle.manifest.absent.get(metric.spec.layer or "")
    if absent is not None and metric.spec.layer != "media":
        return missing(metric.spec, absent)
    for evidence in metric.spec.evidence:
        if evidence in session.absent:
            return missing(metric.spec, session.absent[evidence])
    try:
        samples = tuple(_checked(sample) for sample in metric.samples(session))
    except TooLongError as error:
        return missing(metric.spec, str(error))
    except (Exception, SystemExit) as error:
        if metric.spec.name in METRICS:
            raise
        return missing(metric.spec, f"it failed: {type(error).__name__}: {error}")
    for number in (n for s in samples for n in (s.value, s.amount, s.weight) if n is not None):
        if not math.isfinite(number):
            return missing(metric.spec, f"the value is {number}")
    if any(sample.weight < 0 for sample in samples):
        return missing(metric.spec, "a weight is below 0")
    return summarise(metric.spec, samples)


# Asked of every number of every sample: a union would be made anew each time.
_NUMBERS = (int, float, type(None))


def _checked(sample: Sample) -> Sample:
    if not isinstance(sample, Sample):
        raise TypeError(f"it gave {sample!r:.80}, which is no Sample")
    for number in (sample.value, sample.amount, sample.weight):
        if not isinstance(number, _NUMBERS):
            raise TypeError(f"it gave {number!r:.80}, which is no number")
    return sample


def measure_all(session: Session, own: Iterable[str] = ()) -> dict[str, Measurement]:
    """Every metric of one session, by name.

    Args:
        own: names of a gate's own metrics (see ``lkgate.measure.judged``), measured too.
    """
    every = {**metrics(), **{name: own_metric(name) for name in own}}
    return {name: measure(session, metric) for name, metric in every.items()}
