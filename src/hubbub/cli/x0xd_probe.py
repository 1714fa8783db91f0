"""Finding and asking running instances, for ``x0xd --doctor`` and ``--list``."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import click

from hubbub.cli.x0xd_config import Plan


PROBE_S = 2.0
"""Seconds that a daemon has to answer ``/health``."""


def address_in(data_dir: Path) -> str | None:
    """Read the port file of an instance; ``None`` if it has none."""
    try:
        text = (data_dir / "api.port").read_text("ascii").strip()
    except (OSError, UnicodeError):
        return None
    return text if ":" in text else f"127.0.0.1:{text}"


def is_healthy(address: str) -> bool:
    """Ask a daemon whether it is well."""
    connection = http.client.HTTPConnection(address, timeout=PROBE_S)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status == http.client.OK and json.loads(answer.read())["ok"] is True
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return False
    finally:
        connection.close()


def instances(root: Path) -> Iterator[tuple[str, str]]:
    """Give name and address of every instance below the platform's data directory."""
    for folder in sorted(root.glob("x0x*")):
        address = address_in(folder)
        if address is not None and (folder.name == "x0x" or folder.name.startswith("x0x-")):
            yield folder.name.removeprefix("x0x").removeprefix("-") or "(default)", address


def list_instances(root: Path) -> None:
    """Print every instance with its address and whether it answers."""
    found = False
    for name, address in instances(root):
        found = True
        click.echo(f"{name:20} {address:24} {'running' if is_healthy(address) else 'stale'}")
    if not found:
        click.echo("no instances")


def examine(plan: Plan) -> bool:
    """Print what is well and what is not; false if something has failed."""
    click.echo("PASS configuration is valid")
    if plan.data_dir.is_dir():
        click.echo(f"PASS data directory {plan.data_dir}")
    else:
        click.echo(f"WARN data directory {plan.data_dir} does not exist yet")
    token = plan.data_dir / "api-token"
    if token.exists():
        click.echo(f"PASS token file {token}")
    else:
        click.echo(f"WARN token file {token} does not exist yet")
    written = address_in(plan.data_dir)
    address = written or plan.api_address
    if is_healthy(address):
        click.echo(f"PASS daemon answers at {address}")
        return True
    if written is None:
        click.echo(f"WARN no daemon runs at {address}")
        return True
    click.echo(f"FAIL no daemon answers at {address}, which {plan.data_dir / 'api.port'} names")
    return False
