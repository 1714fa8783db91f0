"""Where the daemon is: told by the caller, by the environment, or by its data directory."""

import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from hubbub.client.errors import Unreachable
from hubbub.client.tls import trusted


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon that can be called."""

    url: str
    """Address of hubbub's own listener, ``http://127.0.0.1:7070``."""
    token: str
    tls: ssl.SSLContext | None = None
    """What the daemon's certificate is checked against; ``None``: the system's authorities."""
    pid: int = 0
    """Its process, where the data directory tells; else 0."""


Find = Callable[[], Place]
"""Looks anew where the daemon is: it may have come back on another port."""


def finder(
    *,
    data_dir: Path | str | None = None,
    url: str | None = None,
    token: str | None = None,
    tls_ca: Path | str | None = None,
    tls: ssl.SSLContext | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Find:
    """Make what finds the daemon.

    What is given wins over ``HUBBUB_URL``, ``HUBBUB_TOKEN``, ``HUBBUB_DATA_DIR`` and
    ``HUBBUB_TLS_CA``; what is in neither is read from the data directory, at each attempt anew.

    Args:
        data_dir: The daemon's data directory; the platform's own by default.
        url: Address of hubbub's own listener.
        token: Whose token is shown; the operator's by default.
        tls_ca: File with the authorities of the daemon's certificate, in PEM; without it the
            certificate that the daemon left in its data directory.
        tls: What the certificate is checked against instead.
        environ: Variables.
    """
    url = url or (None if data_dir else environ.get("HUBBUB_URL"))
    token = token or environ.get("HUBBUB_TOKEN")
    authorities = tls_ca or environ.get("HUBBUB_TLS_CA")
    folder = Path(data_dir or environ.get("HUBBUB_DATA_DIR") or _platform())

    def find() -> Place:
        if url is None:
            where, pid = _listener(folder)
        else:
            where, pid = url.rstrip("/"), 0
        shown = token or _read(folder / "api-token", folder).strip()
        left = folder if url is None else None
        checked = tls
        if checked is None and where.startswith("https:"):
            checked = trusted(left, authorities)
        return Place(url=where, token=shown, tls=checked, pid=pid)

    return find


def _platform() -> str:
    # Only who names neither address nor directory needs it.
    import platformdirs  # noqa: PLC0415

    return platformdirs.user_data_dir("hubbub")


def _listener(folder: Path) -> tuple[str, int]:
    text = _read(folder / "listeners.json", folder)
    try:
        found = msgspec.json.decode(text, type=dict[str, str | int])
    except msgspec.DecodeError as error:
        message = f"cannot read {folder / 'listeners.json'}: {error}"
        raise Unreachable(message) from None
    if "hubbub" not in found:
        message = (
            "the daemon runs without hubbub's own listener; stop it, and start it with "
            "`hubbub serve --listen hubbub=127.0.0.1:0`"
        )
        raise Unreachable(message)
    return str(found["hubbub"]), int(found.get("pid", 0))


def _read(file: Path, folder: Path) -> str:
    try:
        return file.read_text("ascii")
    except FileNotFoundError:
        message = f"no daemon runs on {folder}; start one with `hubbub serve --data-dir {folder}`"
        raise Unreachable(message) from None
    except (OSError, ValueError) as error:
        message = f"cannot read {file}: {error}"
        raise Unreachable(message) from None
