"""``lorarecipe completion``, and what shells ask for while a command is typed."""

from __future__ import annotations

import os
from typing import ClassVar

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

#: PowerShell hands over the line up to the cursor; a completion that begins with "-" or a quote stays one word
_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = $commandAst.ToString().PadRight($cursorPosition).Substring(0, $cursorPosition)
    $env:COMP_CWORD = $wordToComplete
    %(prog_name)s | ForEach-Object {
        $type, $value, $help = $_ -split "`t", 3
        if ($type -eq 'plain') {
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        } else {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        }
    }
    Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_CWORD
}
"""


class PowerShellComplete(ShellComplete):
    """Completion in PowerShell, 5.1 or later."""

    name: ClassVar[str] = "powershell"
    source_template: ClassVar[str] = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """Give the words before the one that is typed, and that one."""
        incomplete = os.environ.get("COMP_CWORD", "")
        words = split_arg_string(os.environ.get("COMP_WORDS", "").strip())[1:]
        return (words[:-1] if incomplete and words and words[-1] == incomplete else words), incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Give a completion as a line: its kind, its text and its help, with tabs between."""
        return "\t".join([item.type, str(item.value), item.help or ""])


add_completion_class(PowerShellComplete)
_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
    "powershell": PowerShellComplete,
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes words in a shell.

    It completes commands, options, names of runs and codes of rules.

    For bash, in ~/.bashrc: eval "$(lorarecipe completion bash)"

    For zsh, in ~/.zshrc: eval "$(lorarecipe completion zsh)"

    For fish: lorarecipe completion fish > ~/.config/fish/completions/lorarecipe.fish

    For PowerShell, in $PROFILE: lorarecipe completion powershell | Out-String | Invoke-Expression
    """
    group = context.find_root().command
    click.echo(_SHELLS[shell](group, {}, "lorarecipe", "_LORARECIPE_COMPLETE").source())
