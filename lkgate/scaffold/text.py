"""The files themselves."""

from __future__ import annotations

import json
from pathlib import Path

from lkgate.scaffold.program import Program

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

GITATTRIBUTES = (
    "*.flac binary",
    "*.lkb binary",
    "recordings/** -text",
    "recordings/**/events.jsonl linguist-generated=true -diff",
    "recordings/**/cassette/** linguist-generated=true -diff",
)
GITIGNORE = (".lkgate/",)


def settings(program: Program, python: str | None, table: str) -> str:
    """The settings as TOML under ``[tool.lkgate]``.

    Args:
        python: the build's interpreter, ``None`` for the one that runs lkgate.
        table: ``tool.lkgate``.
    """
    lines = [f"[{table}]", 'recordings = "recordings"', 'gates = ["gates/release.yaml"]', ""]
    lines.append(f"[{table}.builds.candidate]")
    if program.module is not None:
        lines.append(f"module = {json.dumps(program.module)}")
        if program.directory is not None and program.directory != Path():
            lines.append(f"cwd = {json.dumps(program.directory.as_posix())}")
    else:
        lines.append(f"program = {json.dumps(program.path.as_posix())}")
    if python is not None:
        lines.append(f"python = {json.dumps(python)}")
    lines += [
        "",
        f"[{table}.tools]",
        '# A tool call that was never recorded books nothing in CI ("run" would execute it).',
        'default = "error"',
    ]
    return "\n".join(lines) + "\n"


def workflow(install: str, version: str) -> str:
    """A GitHub workflow; ``install`` are the shell lines that install the agent itself."""
    indented = "\n".join(f"          {line}" for line in install.splitlines())
    return f"""\
# Replays recorded calls into this build of the agent and fails on what got worse.
# Make the job `replay` a required check in the branch's protection rules.
name: lkgate
on:
  push:
    branches: [main]
  pull_request:

permissions: {{}}

jobs:
  replay:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    permissions:
      contents: read
      pull-requests: write # the report as a comment; leave it out, and there is none
    steps:
      - uses: actions/checkout@08eba0b27e820071cde6df949e0beb9ba4906955 # v4.3.0
        with:
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: "3.11"
      - name: Install the agent and lkgate
        run: |
{indented}
          pip install 'lkgate=={version}'
      - name: Replay
        run: |
          # What callers said is no command of the runner: until the word that nobody knows.
          stop=$(python -c 'import secrets; print(secrets.token_hex())')
          echo "::stop-commands::$stop"
          code=0
          lkgate replay --against candidate --report html=report.html --report junit=junit.xml \\
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
          name: lkgate
          path: |
            report*
            junit.xml
            .lkgate/replays
          include-hidden-files: true
"""
