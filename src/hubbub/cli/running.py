"""Finds the running daemon through its data directory, and calls it with the Python client."""

import atexit
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import platformdirs

from hubbub.cli import options


if TYPE_CHECKING:
    # Imported when a command calls: the others start without it.
    from hubbub.client import Client


RETRY_S = 1.0
"""Seconds between two attempts to reach a daemon that went away at most."""


class Failed(click.ClickException):
    """The command could not do its work; exit code 1."""

    def show(self, file: Any = None) -> None:
        """Tell the reason in one line."""
        click.echo(f"hubbub: {self.message}", err=True, file=file)


class Unreachable(Failed):
    """No daemon answers."""


class Refused(Failed):
    """The daemon answered with an error."""

    def __init__(self, message: str, code: str) -> None:
        """Keep the daemon's own code."""
        super().__init__(message)
        self.code = code


def data_directory(given: Path | None) -> Path:
    """Give the data directory: the flag's, the variable's, or the platform's."""
    if given is not None:
        return given
    return Path(os.environ.get("HUBBUB_DATA_DIR") or platformdirs.user_data_dir("hubbub"))


class Running:
    """A daemon that runs, as its data directory describes it."""

    def __init__(self, folder: Path, addresses: Mapping[str, str], pid: int, token: str) -> None:
        """Take what was found."""
        self.folder = folder
        self.addresses = addresses
        """URL of each listener."""
        self.pid = pid
        self.token = token
        self._client: Client | None = None

    def call(self, method: str, params: object = None) -> Any:
        """Call a method of ``/rpc`` and give its result; raises as ``raw``."""
        return msgspec.json.decode(self.raw(method, params))

    def raw(self, method: str, params: object = None) -> msgspec.Raw:
        """Call a method of ``/rpc`` and give its result as the daemon wrote it, in JSON.

        Raises:
            Refused: The daemon answered with an error.
            Unreachable: It did not answer.
        """
        with told():
            if self._client is None:
                self._client = self.client().open()
                # The connection is kept for the next call, and ends with the command.
                context = click.get_current_context(silent=True)
                atexit.register(self.close) if context is None else context.call_on_close(
                    self.close
                )
            return self._client.raw(method, params if isinstance(params, dict) else {})

    def close(self) -> None:
        """End the connection, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def client(self, on_lost: Callable[[str], None] | None = None) -> "Client":
        """Make a client of this daemon, wherever it may be by then.

        Args:
            on_lost: Told why, each time that the connection ends or an attempt fails.
        """
        from hubbub.client import Backoff, Client

        context = click.get_current_context(silent=True)
        return Client(
            data_dir=self.folder,
            tls_ca=None if context is None else context.meta.get(options.TLS_CA),
            backoff=Backoff(cap_s=RETRY_S),
            on_lost=on_lost,
            environ={},  # a command means the daemon of its data directory, whatever is set
        )

    @property
    def url(self) -> str:
        """Address of hubbub's own listener.

        Raises:
            Unreachable: It is not open.
        """
        with contextlib.suppress(KeyError):
            return self.addresses["hubbub"]
        message = (
            "the daemon runs without hubbub's own listener; stop it, and start it with "
            "`hubbub serve --listen hubbub=127.0.0.1:0`"
        )
        raise Unreachable(message)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Make errors of the client those that a command ends with."""
    from hubbub.client import errors

    try:
        yield
    except errors.Refused as error:
        raise Refused(str(error), error.code) from None
    except errors.ClientError as error:
        raise Unreachable(str(error)) from None


def find(given: Path | None) -> Running:
    """Find the running daemon.

    Args:
        given: The ``--data-dir`` of the command.

    Raises:
        Unreachable: None runs on this data directory.
    """
    folder = data_directory(given)
    try:
        found = msgspec.json.decode((folder / "listeners.json").read_bytes())
        token = (folder / "api-token").read_text("ascii").strip()
    except FileNotFoundError:
        where = "" if given is None else f" --data-dir {folder}"
        message = f"no daemon runs on {folder}; start one with `hubbub serve{where}`"
        raise Unreachable(message) from None
    except (OSError, msgspec.DecodeError) as error:
        message = f"cannot read the files of the daemon in {folder}: {error}"
        raise Unreachable(message) from None
    pid = found.pop("pid", 0)
    return Running(folder, found, pid, token)
