"""TLS of a listener: a certificate and its key, and nothing older than TLS 1.2."""

import ssl
from pathlib import Path

from hubbub.errors import StartError


def server_context(cert: Path, key: Path) -> ssl.SSLContext:
    """Load a certificate, with the chain that follows it, and its key.

    Raises:
        StartError: A file is missing, is no certificate or key, or they do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path, what in ((cert, "certificate"), (key, "key")):
        try:
            path.open("rb").close()
        except OSError as error:
            message = f"cannot read the TLS {what} {path}: {error.strerror}"
            raise StartError(message) from None
    try:
        # A key with a passphrase would otherwise be asked for on the terminal.
        context.load_cert_chain(cert, key, password=_no_passphrase)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        message = (
            f"cannot use the TLS certificate {cert} with the key {key}: {reason}; both must be "
            "PEM files that belong together, and the key must have no passphrase"
        )
        raise StartError(message) from None
    return context


def _no_passphrase() -> str:
    return ""


def leaf(cert: Path) -> str:
    """Give the first certificate of a PEM file: the listener's own, without its chain."""
    end = "-----END CERTIFICATE-----"
    text = cert.read_text("ascii", errors="replace")
    start = max(text.find("-----BEGIN CERTIFICATE-----"), 0)
    return text[start : text.index(end, start) + len(end)] + "\n"
