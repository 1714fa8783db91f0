"""Options that several commands have."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Data directory of the daemon; it tells the commands where the daemon listens.",
)
config = click.option(
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settings; without it, config.toml in the data directory.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")

TLS_CA = "hubbub.tls_ca"
"""Where ``--tls-ca`` is kept in click's context, for whoever finds the daemon."""


def _remember(context: click.Context, _option: click.Parameter, value: Path | None) -> None:
    context.meta[TLS_CA] = value


_tls_ca = click.option(
    "--tls-ca",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    envvar="HUBBUB_TLS_CA",
    expose_value=False,
    callback=_remember,
    help="Authorities that the daemon's certificate is checked against, in PEM; without it, the "
    "certificate that the daemon left in its data directory.",
)


def daemon(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what tells a command where the daemon is, and how to know it."""
    return data_dir(_tls_ca(command))
