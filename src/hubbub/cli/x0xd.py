"""``hubbub x0xd``: stands in for ``x0xd``, with its flags and its configuration file."""

import os
import sys
from pathlib import Path

import click

from hubbub import __version__
from hubbub.cli import x0xd_config, x0xd_probe
from hubbub.cli.x0xd_config import Plan
from hubbub.errors import StartError


EXIT_START = 3


_NO_EFFECT = (
    "--no-hard-coded-bootstrap",
    "--disable-peer-cache",
    "--check-updates",
    "--skip-update-check",
    "--no-port-mapping",
)


def _accepted(command: click.Command) -> click.Command:
    """Add the flags that x0xd has and that have no meaning without its network."""
    for flag in _NO_EFFECT:
        command.params.append(click.Option([flag], is_flag=True, expose_value=False, hidden=True))
    for flag in ("--exec-acl", "--connect-acl"):
        command.params.append(click.Option([flag], expose_value=False, hidden=True))
    return command


@_accepted
@click.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": ["-h", "--help"],
    }
)
@click.version_option(__version__, "-V", "--version", message="x0xd %(version)s")
@click.option("--config", type=click.Path(path_type=Path), help="x0xd's TOML file.")
@click.option("--name", help="Named instance: its own data directory, a free port.")
@click.option("--api-port", type=click.IntRange(0, 65_535), help="Port of the API.")
@click.option("--check", is_flag=True, help="Check the configuration and end.")
@click.option("--doctor", is_flag=True, help="Examine files and address and end.")
@click.option("--list", "listing", is_flag=True, help="List the instances and end.")
@click.option("--no-bootstrap", is_flag=True, hidden=True)
@click.pass_context
def x0xd(
    context: click.Context,
    *,
    config: Path | None,
    name: str | None,
    api_port: int | None,
    check: bool,
    doctor: bool,
    listing: bool,
    no_bootstrap: bool,
) -> None:
    """Serve x0x clients as x0xd does, started as x0xd is.

    Flags and keys that steer x0x's own network are accepted and have no effect.
    """
    if no_bootstrap:
        click.echo("x0xd: --no-bootstrap is called --no-hard-coded-bootstrap now", err=True)
    if listing:
        x0xd_probe.list_instances(x0xd_config.data_dir(None).parent)
        return
    try:
        plan = x0xd_config.plan(
            x0xd_config.read(config, name), name=name, api_port=api_port, environment=os.environ
        )
        if check:
            _show(plan)
        elif doctor or "doctor" in context.args:
            sys.exit(0 if x0xd_probe.examine(plan) else 1)
        else:
            _serve(plan)
    except StartError as error:
        click.echo(f"x0xd: {error}", err=True)
        sys.exit(EXIT_START)


def _show(plan: Plan) -> None:
    click.echo("Configuration is valid")
    for field in plan.__struct_fields__:
        click.echo(f"{field} = {getattr(plan, field)}")


def _serve(plan: Plan) -> None:
    """Serve the x0x listener, and hubbub's own on a free port, by which `hubbub` finds us."""
    from hubbub.app import Daemon, run
    from hubbub.config import Listen, Settings
    from hubbub.core.values import is_loopback
    from hubbub.telemetry import set_up_logging

    set_up_logging(plan.log_level, as_json=plan.log_json)
    if not is_loopback(plan.api_address.rpartition(":")[0].strip("[]")):
        click.echo(f"x0xd: others can reach {plan.api_address}, without TLS", err=True)
    settings = Settings(
        data_dir=plan.data_dir,
        # As x0xd does, where its configuration names an address that others can reach.
        listen=Listen(
            x0x=plan.api_address, hubbub=x0xd_config.ANY_PORT, only=["x0x"], insecure=True
        ),
        explicit=frozenset(("x0x", "hubbub")),
        crash_at=os.environ.get("HUBBUB_CRASH_AT", ""),
    )

    async def ready(daemon: Daemon) -> None:
        click.echo(f"x0xd {__version__} (hubbub) {daemon.listeners['x0x'].url}")

    run(Daemon(settings), ready)
