"""``hubbub env DIALECT``: point an unmodified client at the running daemon."""

import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import click

from hubbub.cli import options, output, running


def _x0x(url: str, token: str) -> dict[str, str]:
    return {"X0X_API_URL": url, "X0X_API_TOKEN": token}


def _crosslink(url: str, token: str) -> dict[str, str]:
    return {"CROSSLINK_URL": url, "CROSSLINK_TOKEN": token}


def _car(url: str, token: str) -> dict[str, str]:
    # The client compares our version with its own and warns at length; nothing is wrong.
    daemon = "ws" + url.removeprefix("http")
    return {"CAR_DAEMON_URL": daemon, "CAR_AUTH_TOKEN": token, "CAR_NO_VERSION_WARNING": "1"}


def _openclaw(url: str, token: str) -> dict[str, str]:
    # The client always calls loopback; it reads a port, and no address.
    port = str(urlsplit(url).port)
    return {"CLAWDBOT_GATEWAY_PORT": port, "CLAWDBOT_GATEWAY_TOKEN": token}


CLIENTS: dict[str, Callable[[str, str], dict[str, str]]] = {
    "x0x": _x0x,
    "crosslink": _crosslink,
    "car": _car,
    "openclaw": _openclaw,
}


@click.command()
@click.argument("dialect", type=click.Choice(list(CLIENTS)))
@click.option("--token", help="Another token than the operator's, as from `hubbub token new`.")
@options.daemon
@options.as_json
def env(dialect: str, token: str | None, data_dir: Path | None, *, as_json: bool) -> None:
    """Print the exports that point a client of DIALECT here: eval "$(hubbub env x0x)"."""
    daemon = running.find(data_dir)
    url = daemon.addresses.get(dialect)
    if url is None:
        message = (
            f"the {dialect} listener is not open; start the daemon with "
            f"`hubbub serve --listen {dialect}=127.0.0.1:0`"
        )
        raise running.Failed(message)
    variables = CLIENTS[dialect](url, token or daemon.token)
    if as_json:
        output.write_json(variables)
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
