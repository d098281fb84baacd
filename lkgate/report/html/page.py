"""The page: what a verdict shows, through the template, with the audio in it or beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import unescape
from importlib.resources import files
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from lkgate.model.verdict import LiveRoom, Verdict
from lkgate.report import words
from lkgate.report.causes import fold
from lkgate.report.html.reasons import reasons_of, wants_of
from lkgate.report.html.sound import MIME, Side
from lkgate.report.html.view import Sources, calls_of
from lkgate.report.inert import clipped, visible_lines

# Of audio within one file, before base64; beyond it audio lies beside the page.
BUDGET_BYTES = 24_000_000
# Of one text; nobody reads more of it here.
_TEXT = 10_000
_STATED = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_NUMBER = re.compile(r'<meta name="lkgate-page" content="([1-9][0-9]{0,8})">')
_POLICY = re.compile(
    r"default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; "
    r"media-src (data:|'self' file:); base-uri 'none'; form-action 'none'"
)
_WORD = {"pass": "PASS", "fail": "FAIL", "no_verdict": "NO VERDICT"}


@dataclass(frozen=True, slots=True)
class Page:
    """A report.

    Attributes:
        text: the HTML.
        beside: files that it links to, by their name relative to it; empty if it holds all.
    """

    text: str
    beside: Mapping[str, bytes]


def render(
    verdict: Verdict,
    *,
    build: str,
    digest: str | None,
    sources: Mapping[str, Sources],
    beside: str,
    budget_bytes: int = BUDGET_BYTES,
    live: LiveRoom | None = None,
    number: int = 1,
) -> Page:
    """The report of one gate.

    Args:
        digest: over the replays; ``None`` of a live room.
        sources: by call; a call that has none is shown without sound and recording.
        beside: directory for what does not fit into the page, relative to it.
        budget_bytes: of audio in the page itself.
        live: that the calls took place in a live room.
        number: of the gate, where a run has several.
    """
    sounds = {
        (call, side): heard.opus
        for call, source in sources.items()
        for side, heard in source.heard.items()
        if heard.opus is not None
    }
    whole = sum(len(opus) for opus in sounds.values()) <= budget_bytes
    names = {key: f"{beside}/{number:04d}.ogg" for number, key in enumerate(sorted(sounds))}
    folded = fold(verdict)
    style, script = _asset("report.css"), _asset("report.js")
    text = _template().render(
        verdict=verdict,
        word=_WORD[verdict.status],
        build=build,
        digest=digest,
        reasons=reasons_of(verdict, folded),
        wants=wants_of(folded),
        held=verdict.with_status("pass"),
        follows=verdict.with_status("follows"),
        calls=calls_of(verdict, build, sources),
        cohorts=_cohorts(verdict),
        sounds=_inside(sounds) if whole else {},
        links={} if whole else {key: _link(name) for key, name in names.items()},
        live=live,
        words=words,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script, whole=whole),
        number=number,
    )
    return Page(text, {} if whole else {names[key]: opus for key, opus in sounds.items()})


def _inside(sounds: Mapping[tuple[str, Side], bytes]) -> dict[tuple[str, Side], Markup]:
    return {
        key: Markup(f"data:{MIME};base64,{base64.b64encode(opus).decode()}")
        for key, opus in sounds.items()
    }


def _link(name: str) -> str:
    """A file's name as an address, also one that is no text."""
    return quote(name, errors="surrogateescape")


def _policy(style: str, script: str, *, whole: bool) -> str:
    """Nothing but this page's own script and style, and sound."""
    media = "data:" if whole else "'self' file:"
    return (
        f"default-src 'none'; script-src {_sha(script)}; style-src {_sha(style)}; "
        f"media-src {media}; base-uri 'none'; form-action 'none'"
    )


def policy_of(text: str) -> str | None:
    """The policy that a page states of itself; ``None`` if it is no page of :func:`render`'s.

    Args:
        text: the page, or its first 4096 characters.
    """
    found = _STATED.search(text)
    policy = unescape(found[1]) if found else ""
    return policy if _POLICY.fullmatch(policy) else None


def number_of(text: str) -> int:
    """Of which gate a page is, where a run had several; 1 also of what is no such page.

    Args:
        text: the page, or its first 4096 characters.
    """
    found = _NUMBER.search(text) if policy_of(text) is not None else None
    return int(found[1]) if found else 1


def _sha(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _cohorts(verdict: Verdict) -> list[str]:
    every = {
        f"{key}={value}"
        for call in verdict.calls
        if call.labels
        for key, value in call.labels.cohort.items()
    }
    return sorted(every)


def _asset(name: str) -> str:
    return files("lkgate.report.html").joinpath(name).read_text("utf-8")


def _inert(value: object) -> object:
    """Every text that is printed: the template escapes it, this takes its controls away."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible_lines(clipped(value, _TEXT))
    return value


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_asset),
    )
    # Jinja's own knows no name that is not UTF-8.
    environment.filters["urlencode"] = partial(quote, errors="surrogatepass")
    return environment.get_template("report.html.j2")
