"""Finds the running daemon through its data directory, and calls it.

The standard library's client, because a command makes one call and should start fast.
"""

import contextlib
import http.client
import os
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
import platformdirs

from hubbub.cli import options


if TYPE_CHECKING:
    import ssl


TIMEOUT_S = 30.0
"""Seconds that a daemon has to answer a call."""


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


class _Reply(msgspec.Struct):
    """What the daemon answers to a call."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: dict[str, Any] | None = None


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

    def call(self, method: str, params: object = None) -> Any:
        """Call a method of ``/rpc`` and give its result; raises as ``raw``."""
        return msgspec.json.decode(self.raw(method, params))

    def raw(self, method: str, params: object = None) -> msgspec.Raw:
        """Call a method of ``/rpc`` and give its result as the daemon wrote it, in JSON.

        Raises:
            Refused: The daemon answered with an error.
            Unreachable: It did not answer.
        """
        body = msgspec.json.encode(
            {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        )
        with self.request("POST", "/rpc", body) as answer:
            text = answer.read()
        try:
            reply = msgspec.json.decode(text, type=_Reply)
        except msgspec.DecodeError:
            message = f"{self.url} answered {answer.status} {answer.reason}; is it hubbub?"
            raise Unreachable(message) from None
        if reply.error is None:
            return reply.result
        data = reply.error.get("data") or {}
        raise Refused(reply.error["message"], str(data.get("code", reply.error["code"])))

    @contextlib.contextmanager
    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request to hubbub's own listener and give the answer, to be read.

        Raises:
            Unreachable: The daemon does not answer.
        """
        where = urllib.parse.urlsplit(self.url)
        host = where.hostname or ""
        connection: http.client.HTTPConnection
        if where.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, where.port, timeout=timeout_s, context=_context(self.folder)
            )
        else:
            connection = http.client.HTTPConnection(host, where.port, timeout=timeout_s)
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        try:
            connection.request(method, path, body, sent)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            message = (
                f"the daemon at {self.url} (pid {self.pid}) does not answer: {error}; "
                "`hubbub serve` starts one"
            )
            raise Unreachable(message) from None
        finally:
            connection.close()

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


def _context(folder: Path) -> "ssl.SSLContext":
    """Give what a daemon's certificate is checked against: ``--tls-ca``, or what it left here.

    Raises:
        Unreachable: The daemon left none, or the file holds none.
    """
    import ssl

    from hubbub.transport.tls import pinned

    context = click.get_current_context(silent=True)
    authorities = None if context is None else context.meta.get(options.TLS_CA)
    file = authorities or folder / "tls-cert.pem"
    try:
        if authorities is not None:
            return ssl.create_default_context(cafile=authorities)
        return pinned(file.read_text("ascii"))
    except (OSError, ValueError) as error:
        message = f"cannot check the daemon's certificate against {file}: {error}; give --tls-ca"
        raise Unreachable(message) from None


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
