"""``lkgate completion``: what makes a shell complete commands, builds, recordings and metrics."""

from __future__ import annotations

import click

_PROGRAM = "lkgate"

# Words that go on (`html=`, `out/`) get no space behind them: bash's way and zsh's. fish sees it.
_UNFINISHED = {
    "            COMPREPLY+=($value)\n": "            COMPREPLY+=($value)\n"
    "            [[ $value == *[=/] ]] && compopt -o nospace\n",
    "        compadd -U -V unsorted -a completions\n": "        local -a whole\n"
    "        [[ $completions[1] == *[=/] ]] && whole=(-S '')\n"
    '        compadd "${whole[@]}" -U -V unsorted -a completions\n',
}


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that makes SHELL complete lkgate's commands and options.

    Completes builds, recordings, gates and metrics of the directory where it is used, too.

    \b
    bash  eval "$(lkgate completion bash)"    in ~/.bashrc; needs bash 4.4
    zsh   eval "$(lkgate completion zsh)"     in ~/.zshrc, behind compinit
    fish  lkgate completion fish > ~/.config/fish/completions/lkgate.fish

    Example: lkgate completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    from lkgate.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # click knows these shells
    # The variable is click's, made of the program's name.
    made = kind(cli, {}, _PROGRAM, f"_{_PROGRAM.upper()}_COMPLETE")
    text = made.source_template % made.source_vars()
    for found, instead in _UNFINISHED.items():
        text = text.replace(found, instead)
    click.echo(text)
