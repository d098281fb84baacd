"""What the models were asked, how often, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lkgate.measure import field
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.untold import unreported
from lkgate.model.bundle import Span
from lkgate.model.event import Json
from lkgate.model.measurement import Sample
from lkgate.model.price import Price

_Usage = Mapping[str, Json]


def llm_input_tokens(session: Session) -> Iterator[Sample]:
    yield _tokens(session, "input_tokens")


def llm_output_tokens(session: Session) -> Iterator[Sample]:
    yield _tokens(session, "output_tokens")


def _tokens(session: Session, key: str) -> Sample:
    used = _models(session)
    if used is None:
        return absent(None, session.whole, "the session reported no usage")
    models = [usage for usage in used if _is_llm(usage)]
    counts = [field.number(usage, key) for usage in models]
    known = [count for count in counts if count is not None]
    if not models:
        return inapplicable(None, session.whole, "the session used no LLM")
    if len(known) < len(models):
        return absent(None, session.whole, f"the session's usage has no {key}")
    return measured(sum(known), None, session.whole)


def llm_models(session: Session) -> Iterator[Sample]:
    used = _models(session)
    if used is None:
        yield absent(None, session.whole, "the session reported no usage")
        return
    names = sorted({_name(usage) for usage in used if _is_llm(usage)})
    yield measured(len(names), None, session.whole, ", ".join(names) or "no LLM was used")


def llm_requests(session: Session) -> Iterator[Sample]:
    if not session.of_kind("lkgate.model_answer", "lkgate.model_miss"):
        yield absent(None, session.whole, "the replay tells of no answer of any model")
        return
    asked = [
        event
        for event in session.of_kind("lkgate.model_answer", "lkgate.model_miss")
        if field.text(event.data, "modality") == "llm"
    ]
    for event in asked:
        yield measured(1.0, session.turn_at(event.t_us), Span(event.t_us, event.t_us))
    if not asked:
        yield measured(0.0, None, session.whole, "no LLM was asked")


def trajectory_steps(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        if turn.spans and not turn.messages:
            yield from unreported(turn, session)
            continue
        steps = len(turn.messages) + len(turn.tools) + len(turn.handoffs)
        note = ", ".join([call.name for call in turn.tools]) or None
        yield measured(steps, turn, turn.span, note)


def session_errors(session: Session) -> Iterator[Sample]:
    seen = session.of_kind("error")
    for event in seen:
        at = session.turn_at(event.t_us)
        yield measured(1.0, at, Span(event.t_us, event.t_us), field.text(event.data, "message"))
    if not seen:
        yield measured(0.0, None, session.whole)


def call_cost(session: Session) -> Iterator[Sample]:
    used, table = _models(session), session.prices
    assert table is not None  # the registry asks for this evidence
    if used is None:
        yield absent(None, session.whole, "the session reported no usage")
        return
    total = 0.0
    for usage in used:
        model = field.text(usage, "model") or ""
        price = table.models.get(_name(usage), table.models.get(model))
        cost = None if price is None else _cost(usage, price)
        if cost is None:
            what = f"no price of all that {_name(usage)} was used for"
            yield absent(None, session.whole, f"{what} in the table of {table.date}")
            return
        total += cost
    note = f"{total:.4g} {table.currency}, by the prices of {table.date}"
    yield measured(total, None, session.whole, note)


def _cost(usage: _Usage, price: Price) -> float | None:
    """What one model cost, ``None`` if something that was used has no price."""
    cached = field.number(usage, "input_cached_tokens") or 0.0
    cached_price = price.cached_input_tokens
    if cached_price is None:
        cached_price = price.input_tokens
    parts = (
        ((field.number(usage, "input_tokens") or 0.0) - cached, price.input_tokens, 1e6),
        (cached, cached_price, 1e6),
        (field.number(usage, "output_tokens") or 0.0, price.output_tokens, 1e6),
        (field.number(usage, "characters_count") or 0.0, price.characters, 1e6),
        (field.number(usage, "audio_duration") or 0.0, price.audio_minutes, 60.0),
    )
    used = [(amount, each, per) for amount, each, per in parts if amount]
    priced = [(amount, each, per) for amount, each, per in used if each is not None]
    # Tokens are sold each for themselves; a voice by its characters or by its minutes.
    enough = len(priced) == len(used) if _is_llm(usage) else bool(priced) or not used
    return sum(amount * each / per for amount, each, per in priced) if enough else None


def _models(session: Session) -> tuple[_Usage, ...] | None:
    """What each model was used for, in all: each event carries the session's running totals."""
    events = session.of_kind("session_usage_updated")
    return field.mappings(events[-1].data, "usage") if events else None


def _is_llm(usage: _Usage) -> bool:
    return field.text(usage, "type") in ("llm", "llm_usage")


def _name(usage: _Usage) -> str:
    provider, model = field.text(usage, "provider"), field.text(usage, "model")
    return "/".join(part for part in (provider, model) if part) or "a model without a name"
