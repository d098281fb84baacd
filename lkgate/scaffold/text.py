"""The files themselves."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote

from lkgate.scaffold.origin import Origin
from lkgate.scaffold.program import Program
from lkgate.scaffold.project import Project

GATE_NAME, RECORDINGS = "gates/release.yaml", "recordings"

GATE = """\
# What a build must hold to be released. `lkgate replay --against candidate` judges by it.
# Times need a unit (250 ms, 1.5 s), shares a % or points.
version: 1
name: release

# Name your recordings here, so that one that is lost is missed and gives no verdict:
# calls:
#   - booking-with-barge-in

rules:
  # The call took place, and the recording could answer every model request.
  - id: call-completed
    metric: call_completed
    aggregate: mean
    min: 100%
    message: A caller could not say everything, or the agent's program failed.

  # What the agent does for the caller.
  - id: tool-selection
    metric: tool_selection_changes
    aggregate: sum
    max: 0
    message: Other tools are called than in the accepted replay.

  - id: tool-arguments
    metric: tool_argument_changes
    aggregate: sum
    max: 0
    covered_by: [tool-selection]
    message: A tool is called with other arguments than in the accepted replay.

  # How long the caller waits.
  - id: response-latency
    metric: response_latency
    aggregate: mean
    max_increase: 100 ms
    about: these_calls # from some ten recordings on, leave this out: then it is about calls to come
    message: The agent answers later. end_of_turn_delay, llm_ttft and tts_ttfb say which part.

  - id: unanswered
    metric: unanswered_turns
    aggregate: sum
    max_increase: 0
    message: The caller said something and got no answer.

  # Who speaks when. The first of the two has no verdict until a recorded caller interrupts.
  # - id: barge-ins-ignored
  #   metric: barge_ins_ignored
  #   aggregate: sum
  #   max_increase: 0
  #   message: The agent speaks on when the caller interrupts it.

  - id: agent-cut-ins
    metric: agent_cut_ins
    aggregate: sum
    max_increase: 0
    message: The agent begins before the caller has finished.

  # Whether the replay still is the recorded call: later turns are not compared once it is not.
  - id: divergence
    metric: diverged_turns
    aggregate: rate
    max: 0%
    covered_by: [tool-selection, tool-arguments, unanswered]
    message: The conversation became another one, so its later turns cannot be compared.
"""

# Replays, and what the workflow's commands leave: pages hold callers' voices.
GITIGNORE = (
    ".lkgate/",
    "/report.html",
    "/report-[0-9]*.html",
    "/report*-audio/",
    "/report.md",
    "/junit.xml",
    "/annotations",
)


def gitattributes(recordings: str) -> tuple[str, ...]:
    """Lines for git; ``recordings`` is their directory."""
    return (
        "*.flac binary",
        "*.lkb binary",
        f"{recordings}/** -text",
        f"{recordings}/**/events.jsonl linguist-generated=true -diff",
        f"{recordings}/**/cassette/** linguist-generated=true -diff",
    )


def settings(program: Program, project: Project, build: str) -> str:
    """The settings as TOML under ``[tool.lkgate]``, with the program as ``build``."""
    lines = [
        "[tool.lkgate]",
        f"recordings = {_quoted(project.home / RECORDINGS)}",
        f"gates = [{_quoted(project.home / GATE_NAME)}]",
        "",
        f"[tool.lkgate.builds.{build}]",
    ]
    lines += entry(program)
    if project.python is not None:
        lines.append(f"python = {_quoted(project.python)}")
    lines += [
        "",
        "[tool.lkgate.tools]",
        '# A tool call that was never recorded books nothing in CI ("run" would execute it).',
        'default = "error"',
    ]
    return "\n".join(lines) + "\n"


def unpublished(origin: Origin) -> str:
    """What to do about an lkgate that came from a directory."""
    return (
        f"This lkgate came from a directory: publish {origin.requirement}, or install it from "
        "where a runner gets it."
    )


def _quoted(value: str | Path) -> str:
    text = value if isinstance(value, str) else value.as_posix()
    # What JSON leaves as it is, TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def entry(program: Program) -> list[str]:
    """What a build's settings say of its program, a line each."""
    if program.module is None:
        return [f"program = {_quoted(program.path)}"]
    lines = [f"module = {_quoted(program.module)}"]
    if program.directory is not None and program.directory != Path():
        lines.append(f"cwd = {_quoted(program.directory)}")
    return lines


def workflow(project: Project, slug: str, build: str, origin: Origin) -> str:
    """A GitHub workflow.

    Args:
        slug: what tells the project from others of the repository, ``""`` at its root.
        build: to replay into.
        origin: of lkgate.
    """
    install = [*project.install, f"pip install {quote(origin.requirement)}"]
    if not origin.there:
        install.insert(-1, f"# {unpublished(origin)}")
    indented = "\n".join(f"          {line}" for line in install)
    name = f"lkgate {slug}".rstrip()
    job, defaults, at = "", "", ""
    if slug:
        at = f"{project.below.as_posix()}/"
        # The check is known by it, and another project's has to have another.
        job = f"    name: {_quoted(f'replay {slug}')}\n"
        where = _quoted(project.below)
        defaults = f"    defaults:\n      run:\n        working-directory: {where}\n"
    check = f"replay {slug}".rstrip()
    return f"""\
# Replays recorded calls into this build of the agent and fails on what got worse.
# Make `{check}` a required check in the branch's protection rules.
name: {name}
on:
  push:
    branches: [{_quoted(project.branch)}]
  pull_request:

permissions: {{}}

jobs:
  replay:
{job}    runs-on: ubuntu-latest
    timeout-minutes: 20
    permissions:
      contents: read
      pull-requests: write # the report as a comment; leave it out, and there is none
{defaults}    steps:
      - uses: actions/checkout@08eba0b27e820071cde6df949e0beb9ba4906955 # v4.3.0
        with:
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: "{project.version}"
      - name: Install the agent and lkgate
        run: |
{indented}
      - name: Replay
        run: |
          # What callers said is no command of the runner: until the word that nobody knows.
          stop=$(python -c 'import secrets; print(secrets.token_hex())')
          echo "::stop-commands::$stop"
          code=0
          lkgate replay --against {build} --report html=report.html --report junit=junit.xml \\
            --report markdown=report.md --report github=annotations 2>&1 || code=$?
          printf '\\n::%s::\\n' "$stop"
          exit "$code"
      - name: Tell
        if: always()
        env:
          GITHUB_TOKEN: ${{{{ github.token }}}}
        run: |
          [ -f report.md ] || exit 0
          cat report.md >> "$GITHUB_STEP_SUMMARY"
          [ ! -f annotations ] || cat annotations
          lkgate comment report.md
      - name: Keep the report and the replays
        if: always()
        uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        with:
          name: {name.replace(" ", "-")}
          path: |
            {at}report.html
            {at}report-[0-9]*.html
            {at}report*-audio
            {at}report.md
            {at}junit.xml
            {at}.lkgate/replays
          include-hidden-files: true
"""
