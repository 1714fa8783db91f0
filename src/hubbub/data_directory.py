"""The files beside the store: the lock, the secrets, and what is really bound."""

import contextlib
import fcntl
import json
import os
import secrets
import stat
from pathlib import Path

from hubbub.errors import StartError


SECRETS = (
    "api-token",
    "host-token",
    "agent.key",
    "hubbub.db",
    "hubbub.db-wal",
    "hubbub.db-shm",
)
"""Files that are nobody else's to read."""
RESTORING = "restoring"
"""Mark of a restore that has begun; it names the backup, and goes when all files are in place."""
CERTIFICATE = "tls-cert.pem"
"""File with the certificate of hubbub's own listener, while that speaks TLS."""


class DataDirectory:
    """The files beside the store."""

    def __init__(self, path: Path) -> None:
        """Name the directory; it is made by ``take``."""
        self.path = path
        self._lock: int | None = None

    def protect(self) -> list[str]:
        """See to it that the directory and its secrets are their owner's alone.

        Returns:
            What others could read until now; it has been taken from them.

        Raises:
            StartError: Something belongs to another user, who could read or replace it at will.
        """
        files = [(self.path, 0o700), *((self.path / name, 0o600) for name in SECRETS)]
        return [str(path) for path, mode in files if _mended(path, mode)]

    def take(self, *, restoring: bool = False) -> None:
        """Make the directory and lock it for this process.

        Args:
            restoring: This process brings a backup back, perhaps once more.

        Raises:
            StartError: Another process uses it, it cannot be made, or a restore has put only
                a part of a backup into it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            message = f"cannot use the data directory {self.path}: {error.strerror}"
            raise StartError(message) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            message = f"another hubbub uses {self.path}; stop it, or choose another with --data-dir"
            raise StartError(message) from None
        mark = self.path / RESTORING
        if mark.exists() and not restoring:
            self.free()
            message = (
                f"a restore into {self.path} was interrupted; finish it with "
                f"`hubbub restore --data-dir {self.path} {mark.read_text().strip()}`"
            )
            raise StartError(message)

    def is_taken(self) -> bool:
        """Say whether a daemon uses this directory now."""
        try:
            self.take()
        except StartError:
            return True
        self.free()
        return False

    def free(self) -> None:
        """Let another daemon have the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def operator_token(self) -> str:
        """Read the operator's token; make it at the first start."""
        return self.secret("api-token")

    def secret(self, name: str) -> str:
        """Read a secret of 64 hex characters from a file of mode 0600; make it once."""
        path = self.path / name
        with contextlib.suppress(FileNotFoundError):
            token = path.read_text("ascii").strip()
            if len(token) >= 32:  # noqa: PLR2004 an older, shorter token is kept
                return token
        token = secrets.token_hex(32)
        self.write(name, token, mode=0o600)
        return token

    def private(self, name: str) -> Path:
        """Give the path of a file that others cannot read from its very beginning."""
        path = self.path / name
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        return path

    def write(self, name: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file atomically."""
        temporary = self.path / f".{name}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        temporary.replace(self.path / name)

    def tell_listeners(self, urls: dict[str, str], certificate: str | None = None) -> None:
        """Write what is really bound.

        Args:
            urls: That of each listener.
            certificate: By which commands know hubbub's own listener, in PEM.
        """
        if "x0x" in urls:
            self.write("api.port", urls["x0x"].partition("://")[2])
        if certificate is not None:
            self.write(CERTIFICATE, certificate)
        self.write("listeners.json", json.dumps({"pid": os.getpid(), **urls}))

    def forget_stale(self) -> None:
        """Remove what a killed daemon told; nothing if the directory is in use, or not there."""
        if self._lock is None and self.path.is_dir():
            with contextlib.suppress(StartError):
                self.take()
                self.forget_listeners()
                self.free()

    def forget_listeners(self) -> None:
        """Remove what ``tell_listeners`` wrote, if this process holds the directory."""
        if self._lock is not None:
            for name in ("listeners.json", "api.port", CERTIFICATE):
                (self.path / name).unlink(missing_ok=True)


def _mended(path: Path, mode: int) -> bool:
    """Take a file from other users; false where they had no part in it, or it is not there.

    Raises:
        StartError: It belongs to another user, or its mode cannot be changed.
    """
    try:
        status = path.stat()
        if status.st_uid != os.getuid():
            message = (
                f"{path} belongs to another user (uid {status.st_uid}), who could read what is "
                f"in it; give it to yours (uid {os.getuid()}), or choose another directory with "
                "--data-dir"
            )
            raise StartError(message)
        if not stat.S_IMODE(status.st_mode) & 0o077:
            return False
        path.chmod(mode)
    except FileNotFoundError:
        return False
    except OSError as error:
        message = f"cannot protect {path} from other users: {error.strerror}"
        raise StartError(message) from error
    return True
