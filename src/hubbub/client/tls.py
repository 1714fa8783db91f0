"""How a client knows the daemon's certificate."""

import ssl
from pathlib import Path

from hubbub.client.errors import Unreachable


def pinned(certificate: str) -> ssl.SSLContext:
    """Make a client's context that takes this one certificate for the daemon's, and no other.

    The name in it does not matter: who can put a certificate into the data directory could
    read the operator's token there as well.
    """
    context = ssl.create_default_context(cadata=certificate)
    context.check_hostname = False
    # The listener's own certificate need not be an authority's.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def trusted(folder: Path | None, authorities: Path | str | None) -> ssl.SSLContext | None:
    """Give what a daemon's certificate is checked against.

    Args:
        folder: The data directory, where the daemon leaves its certificate; ``None``: it was
            found otherwise.
        authorities: File with authorities, in PEM, which goes before it.

    Returns:
        ``None`` where there is neither: then the system's authorities decide.

    Raises:
        Unreachable: A file cannot be read, or holds no certificate.
    """
    if authorities:
        file = Path(authorities)
    elif folder is not None:
        file = folder / "tls-cert.pem"
    else:
        return None
    try:
        if authorities:
            return ssl.create_default_context(cafile=file)
        return pinned(file.read_text("ascii"))
    except (OSError, ValueError) as error:
        message = f"cannot check the daemon's certificate against {file}: {error}; give --tls-ca"
        raise Unreachable(message) from None
