"""``hubbub token``: the tokens of agents."""

import datetime as dt
from pathlib import Path

import click

from hubbub.cli import options, output, running


@click.group()
def token() -> None:
    """Make, show and revoke the tokens of agents."""


@token.command()
@click.option("--agent", required=True, metavar="NAME", help="Agent that the token is bound to.")
@click.option(
    "--scope",
    multiple=True,
    type=click.Choice(["read", "write", "admin"]),
    help="What it may do; read and write if none is given.",
)
@options.daemon
@options.as_json
def new(agent: str, scope: tuple[str, ...], data_dir: Path | None, *, as_json: bool) -> None:
    """Make a token for an agent; it is shown this once."""
    params: dict[str, object] = {"agent": agent}
    if scope:
        params["scopes"] = list(scope)
    made = running.find(data_dir).call("tokens.create", params)
    if as_json:
        output.write_json(made)
    else:
        click.echo(made["token"])


@token.command("list")
@options.daemon
@options.as_json
def list_(data_dir: Path | None, *, as_json: bool) -> None:
    """Show the tokens, without the secrets."""
    tokens = running.find(data_dir).call("tokens.list")["tokens"]
    if as_json:
        output.write_json(tokens)
        return
    rows = [(t["id"], t["agent"], " ".join(t["scopes"]), _date(t["created_at"])) for t in tokens]
    output.write_table(("id", "agent", "scopes", "made"), rows)


@token.command()
@click.argument("token_or_agent")
@options.daemon
@options.as_json
def revoke(token_or_agent: str, data_dir: Path | None, *, as_json: bool) -> None:
    """Make a token void by its id, or all tokens of an agent by its name."""
    done = running.find(data_dir).call("tokens.revoke", {"token": token_or_agent})
    if as_json:
        output.write_json(done)
    else:
        click.echo(f"{done['revoked']} revoked")


def _date(ms: int) -> str:
    moment = dt.datetime.fromtimestamp(ms / 1000, dt.UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M")
