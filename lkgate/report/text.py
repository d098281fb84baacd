"""The terminal report: the verdict, the reasons, the places to listen to, then the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from lkgate.model.verdict import Evidence, Finding, JudgedCall, LiveRoom, Verdict
from lkgate.report import words
from lkgate.report.causes import NAMES, Cause, Folded, Silent, fold
from lkgate.report.inert import clipped
from lkgate.report.lines import inert
from lkgate.report.notes import About, Note, live_note, notes

WORD = {"pass": "PASS", "fail": "FAIL", "no_verdict": "NO VERDICT"}
STYLE = {"pass": "bold green", "fail": "bold red", "no_verdict": "bold yellow"}
SHOWN = 4
_NOTE: Mapping[About, str] = {
    "sureness": "dim", "left_out": "yellow", "gate": "yellow", "evidence": "yellow", "room": "",
}  # fmt: skip
# A caller may talk without end; nobody reads it here.
LINE = 2_000


def render(
    verdict: Verdict,
    *,
    build: str,
    digest: str | None,
    verbose: bool = False,
    live: LiveRoom | None = None,
) -> Text:
    """The whole report, ending in a newline.

    Args:
        verdict: what was decided.
        build: the candidate's name.
        digest: over all its replays; ``None`` if they would not be the same again.
        live: the rooms, if the calls took place in real ones.
        verbose: every place and every passed rule, not only the first ones.
    """
    text = Text()
    for line in _lines(verdict, build, digest, verbose, live):
        text.append_text(inert(line, LINE))
        text.append("\n")
    return text


def _lines(
    verdict: Verdict, build: str, digest: str | None, verbose: bool, live: LiveRoom | None
) -> Iterator[Text]:
    failed = [found for found in verdict.with_status("fail") if found.rule.severity == "error"]
    warned = [found for found in verdict.with_status("fail") if found.rule.severity != "error"]
    yield _headline(verdict, build, live)
    for found in failed:
        yield from _failed(found, "x", "red", verbose)
    folded = fold(verdict)
    for cause in folded.shared:
        yield from _shared(cause, verbose)
    for one in folded.alone:
        yield from _silent(one, verbose)
    for found in warned:
        yield from _failed(found, "!", "yellow", verbose)
    yield from _missing(folded, verbose)
    yield from _divergences(verdict)
    yield from _rest(verdict, verbose)
    for note in notes(verdict):
        yield from _note(note)
    if live is not None:
        yield from _note(live_note(live))
    yield Text("")
    replays = "live, without a digest" if digest is None else digest[:16]
    yield Text(f"replays {replays}  gate {verdict.gate.path}", style="dim")


def _headline(verdict: Verdict, build: str, live: LiveRoom | None) -> Text:
    """What is counted here is what is listed below."""
    rules = words.count(len(verdict.findings), "rule")
    failed, silent = verdict.with_status("fail"), verdict.with_status("no_verdict")
    errors = sum(found.rule.severity == "error" for found in failed)
    warned = _warnings(len(failed) - errors)
    deciding = any(map(verdict.decides, silent))
    lost = sum(one.failure is not None for one in verdict.calls)
    line = Text(f"{WORD[verdict.status]}  {build}", style=STYLE[verdict.status])
    if verdict.status == "fail":
        unheard = f", {len(silent)} without a verdict" if silent else ""
        reason = f"{errors} of {rules} failed{warned}{unheard}"
        reason += "" if errors else ", which fails this gate"
    elif verdict.status == "no_verdict" and (deciding or not verdict.left_out):
        reason = f"{len(silent) or 'some'} of {rules} could not be judged{warned}"
        if lost and not deciding:
            reason = f"{words.count(lost, 'call')} without a replay{warned}"
    else:
        held = len(verdict.with_status("pass"))
        warned = _warnings(len(failed) + len(silent))
        reason = f"{words.count(held, 'rule')} {'holds' if held == 1 else 'hold'}{warned}"
    return line.append(f": {reason}, {words.calls(verdict, live)}", style="bold")


def _warnings(number: int) -> str:
    return f", {words.count(number, 'warning')}" if number else ""


def _failed(found: Finding, mark: str, style: str, verbose: bool) -> Iterator[Text]:
    rule, unit = found.rule, found.unit
    yield Text("")
    head = Text().append(f"{mark} {rule.label}", style=f"bold {style}")
    head.append(f"  {rule.metric} {rule.aggregate} = {words.value(found.observed, unit)}")
    if found.baseline is not None:
        head.append(f", baseline {words.value(found.baseline, unit)}")
    for check in found.checks:
        if check.outcome == "broken":
            head.append(f"; {words.limit(check, unit)}{words.sure(check, unit)}", style=style)
    head.append_text(_samples(found))
    yield head
    for line in clipped(rule.message or "", LINE).splitlines():
        yield Text(f"  {line}")
    if found.blame is not None:
        yield Text(f"  {words.layer(found.blame)}", style="bold")
    shown = found.evidence if verbose else found.evidence[:SHOWN]
    for place in shown:
        yield _place(place, found)
    if len(found.evidence) > len(shown):
        yield Text(f"    and {len(found.evidence) - len(shown)} more (--verbose)", style="dim")


def _samples(found: Finding) -> Text:
    """What a number rests on and what it leaves out, for a rule that holds as well."""
    line = Text().append(f"  (n {found.n}", style="dim")
    if found.estimated:
        line.append(f", {found.estimated} estimated", style="yellow")
    if found.derived:
        line.append(f", {found.derived} derived", style="yellow")
    if found.lost:
        line.append(f", {found.lost} not compared", style="dim")
    return line.append(")", style="dim")


def _place(place: Evidence, found: Finding) -> Text:
    unit = found.spec.unit
    turn = "call" if place.turn is None else f"turn {place.turn}"
    line = Text().append(f"    {place.call}, {turn}", style="bold")
    line.append(f", listen at {words.span(place.span)}", style="cyan")
    # A count of one says less than the words beside it.
    if place.value is not None and not (unit == "count" and place.note):
        line.append(f": {words.value(place.value, unit)}")
        if place.baseline_value is not None:
            line.append(f", was {words.value(place.baseline_value, unit)}")
    if place.note:
        line.append(f": {place.note}")
    if place.estimated:
        line.append(f" (estimated: {', '.join(place.estimated)})", style="yellow")
    return line


def _shared(cause: Cause, verbose: bool) -> Iterator[Text]:
    yield Text("")
    style = "yellow" if cause.decides else "dim"
    count = words.count(len(cause.findings), "rule")
    yield Text(f"? {count} have no verdict", style=f"bold {style}").append(
        f": {', '.join(cause.labels)}", style=style
    )
    yield from _cause(cause, verbose)


def _silent(one: Silent, verbose: bool) -> Iterator[Text]:
    found = one.finding
    yield Text("")
    style = "yellow" if found.rule.severity == "error" else "dim"
    yield Text(f"? {found.rule.label}", style=f"bold {style}").append(
        f"  {found.rule.metric} {found.rule.aggregate}: {_state(found)}", style=style
    )
    for lack in one.lacks[:SHOWN]:
        yield from _told(lack.calls, lack.reason, lack.next_step, verbose)
    if len(one.lacks) > SHOWN:
        yield Text(f"    and {len(one.lacks) - SHOWN} more", style="dim")
    for place in found.evidence[:SHOWN]:
        yield _place(place, found)


def _state(found: Finding) -> str:
    return "undecided" if found.undecided else "no verdict"


def _missing(folded: Folded, verbose: bool) -> Iterator[Text]:
    if not folded.lost:
        return
    yield Text("")
    have = "has" if folded.bereft == 1 else "have"
    lacking = f": {words.count(folded.bereft, 'rule')} {have} no verdict without them"
    yield Text(f"Calls without a replay{lacking if folded.bereft else ''}", style="bold")
    for cause in folded.lost:
        yield from _cause(cause, verbose)


def _cause(cause: Cause, verbose: bool) -> Iterator[Text]:
    yield from _told(cause.calls, cause.reason, cause.next_step, verbose)


def _told(
    names: Sequence[str], reason: str, next_step: str | None, verbose: bool
) -> Iterator[Text]:
    first, *others = clipped(reason, LINE).splitlines() or [""]
    line = Text("    ")
    if names:
        line.append(words.names(names, len(names) if verbose else NAMES), style="bold").append(": ")
    yield line.append(first)
    for other in others:
        yield Text(f"      {other}")
    if next_step:
        yield Text(f"      {next_step}", style="cyan")


def _divergences(verdict: Verdict) -> Iterator[Text]:
    found = [call for call in verdict.calls if _diverged(call)]
    if not found:
        return
    yield Text("")
    yield Text("Where conversations first diverge", style="bold")
    for call in found:
        assert call.difference is not None
        first = call.difference.first_divergence
        assert first is not None
        at = words.clock(first.difference.t_us)
        line = Text().append(f"    {call.call}", style="bold").append(f" at {at}", style="cyan")
        line.append(f", layer {first.layer}: {first.reason}")
        if first.turns_lost:
            line.append(f" ({first.turns_lost} later turns are not compared)", style="dim")
        yield line


def _diverged(call: JudgedCall) -> bool:
    return call.difference is not None and call.difference.first_divergence is not None


def _rest(verdict: Verdict, verbose: bool) -> Iterator[Text]:
    passed, follows = verdict.with_status("pass"), verdict.with_status("follows")
    if follows:
        yield Text("")
        for found in follows:
            yield Text(
                f"- {found.rule.label}: explained by {', '.join(found.follows)}", style="dim"
            )
    if not passed:
        return
    yield Text("")
    width = max(len(found.rule.label) for found in passed)
    for found in passed:
        unit = found.unit
        line = Text().append("+ ", style="green").append(found.rule.label.ljust(width))
        line.append(f"  {found.rule.aggregate} {words.value(found.observed, unit)}")
        if found.baseline is not None:
            line.append(f", was {words.value(found.baseline, unit)}")
        line.append("".join(words.sure(check, unit) for check in found.checks))
        yield line.append_text(_samples(found))
    if verbose:
        yield from _changes(verdict)


def _changes(verdict: Verdict) -> Iterator[Text]:
    """Every difference that no rule minded: reworded texts, latencies within their margin."""
    yield Text("")
    yield Text("All differences", style="bold")
    for call in verdict.calls:
        if call.difference is None:
            continue
        for found in call.difference.differences:
            yield Text(f"    {call.call} at {words.clock(found.t_us)}: {found.detail}")


def _note(note: Note) -> Iterator[Text]:
    yield Text("")
    yield Text(note.text, style=_NOTE[note.about])
    if note.then:
        yield Text(f"  {note.then}", style="cyan")
