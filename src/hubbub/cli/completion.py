"""``hubbub completion``: what makes a shell complete commands, options and names."""

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes `hubbub` in SHELL.

    bash: eval "$(hubbub completion bash)" in ~/.bashrc. zsh: the same in ~/.zshrc, after
    compinit. fish: hubbub completion fish > ~/.config/fish/completions/hubbub.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    scripts = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    click.echo(
        scripts[shell](context.find_root().command, {}, "hubbub", "_HUBBUB_COMPLETE").source()
    )
