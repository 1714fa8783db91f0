"""``hubbub serve``: run the daemon."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hubbub.cli import options


if TYPE_CHECKING:
    from hubbub.app import Daemon
    from hubbub.config import Settings


def _names(end: str) -> Callable[[object, object, str], list[str]]:
    """Make what completes the name of a listener."""

    def complete(_context: object, _parameter: object, incomplete: str) -> list[str]:
        from hubbub.config import LISTENERS

        return [f"{name}{end}" for name in LISTENERS if name.startswith(incomplete)]

    return complete


@click.command()
@options.data_dir
@options.config
@click.option(
    "--listen",
    multiple=True,
    metavar="NAME=HOST:PORT",
    shell_complete=_names("="),
    help="Address of a listener; port 0 takes a free one, an empty address switches it off.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    shell_complete=_names(""),
    help="Open this door, and hubbub's own.",
)
@click.option("--ephemeral", is_flag=True, help="Keep the store in memory.")
@click.option("--demo", is_flag=True, help="--ephemeral, and two agents that talk.")
@click.option(
    "--insecure-listen",
    is_flag=True,
    help="Allow addresses that other machines can reach, without TLS.",
)
@click.option(
    "--tls-cert",
    metavar="FILE",
    help="Certificate with which all listeners speak TLS, in PEM, with its chain.",
)
@click.option("--tls-key", metavar="FILE", help="Its key, in PEM, without a passphrase.")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
@click.option("--json", "as_json", is_flag=True, help="Write the banner and the log as JSON.")
def serve(data_dir: Path | None, file: Path | None, listen: tuple[str, ...], **given: Any) -> None:
    """Run the daemon until it is told to stop (Ctrl-C, SIGTERM)."""
    from hubbub.app import Daemon, run
    from hubbub.cli.supervisor import told_ready
    from hubbub.provenance import load
    from hubbub.telemetry import set_up_logging

    flags: dict[str, Any] = {"data_dir": data_dir, **_listeners(listen)}
    names = {"insecure_listen": "listen.insecure", "only": "listen.only"}
    names |= {"log_level": "log.level", "as_json": "log.json"}
    names |= {"tls_cert": "listen.tls_cert", "tls_key": "listen.tls_key"}
    flags |= {
        names.get(name, name): list(value) if name == "only" else value
        for name, value in given.items()
    }
    # What was not given must not hide what a variable or the file says.
    flags = {key: value for key, value in flags.items() if value not in (None, False, [])}
    loaded = load(flags=flags, environ=os.environ, config=file)
    settings = loaded.settings
    set_up_logging(settings.log.level, as_json=settings.log.json)
    announce = _announce_json if given["as_json"] else _announce
    with contextlib.ExitStack() as until_end:
        if settings.demo and "data_dir" not in loaded.origins:
            settings = _beside_another(settings, until_end)

        async def ready(daemon: Daemon) -> None:
            await announce(daemon)
            told_ready()

        run(Daemon(settings), ready)


def _listeners(listen: tuple[str, ...]) -> dict[str, str]:
    flags = {}
    for item in listen:
        name, equals, address = item.partition("=")
        if not equals:
            message = f"{item!r} must be NAME=HOST:PORT, as x0x=127.0.0.1:0"
            raise click.BadParameter(message, param_hint="--listen")
        flags[f"listen.{name}"] = address
    return flags


def _beside_another(settings: "Settings", until_end: contextlib.ExitStack) -> "Settings":
    """Give a demo a directory of its own where the usual one is in use."""
    import tempfile

    from msgspec import structs

    from hubbub.data_directory import DataDirectory

    if not DataDirectory(settings.data_dir).is_taken():
        return settings
    folder = until_end.enter_context(tempfile.TemporaryDirectory(prefix="hubbub-demo-"))
    return structs.replace(settings, data_dir=Path(folder))


async def _announce(daemon: "Daemon") -> None:
    """Say what is open; the line with the token has the form that crosslink's harness reads."""
    from hubbub import __version__
    from hubbub.cli.output import ago

    width = max(map(len, daemon.listeners))
    lines = [f"hubbub {__version__}, data in {daemon.settings.data_dir}"]
    for name, listener in daemon.listeners.items():
        lines.append(f"  {name:{width}}  {listener.url}")
    if "crosslink" in daemon.listeners:
        lines.append(f"  Auth:      Bearer {daemon.files.operator_token()}")
    link = await daemon.link()
    if link is not None:
        lasts = ago(int(daemon.settings.limits.ticket_ttl_s * 1000))
        lines.append(f"Open {link} in a browser.")
        lines.append(f"  It works once, within {lasts}. Another one: {_command(daemon, 'open')}")
    if daemon.settings.demo:
        lines.append(f"Two agents talk. In a second window: {_command(daemon, 'tail')}")
    click.echo("\n".join(lines))
    sys.stdout.flush()


async def _announce_json(daemon: "Daemon") -> None:
    from hubbub.cli.output import write_json

    addresses = {name: door.url for name, door in daemon.listeners.items()}
    write_json({"pid": os.getpid(), "data_dir": daemon.settings.data_dir, "listeners": addresses})
    sys.stdout.flush()


def _command(daemon: "Daemon", name: str) -> str:
    """Give a command to this daemon, as a reader can type it here."""
    import shutil

    from hubbub.cli.running import data_directory

    script = Path(sys.argv[0])
    program = "hubbub" if shutil.which("hubbub") else os.path.relpath(script)
    if script.name == "__main__.py":
        program = f"{os.path.relpath(sys.executable)} -m hubbub"
    folder = daemon.settings.data_dir
    return f"{program} {name}" + ("" if folder == data_directory(None) else f" --data-dir {folder}")
