"""Secrets that are shown once, and again to a retry, without being stored.

Each is derived from the operator's token and a stored nonce (``docs/decisions/0009``): whoever
reads the store learns only digests.
"""

import hashlib
import hmac
import secrets

import msgspec


class Made(msgspec.Struct, frozen=True):
    """What is kept of a secret: nothing that opens."""

    digest: str
    """SHA-256, hex: they are 256 random bits, so no slow hash is needed."""
    nonce: str
    """With the operator's token it gives the secret again."""


class Secret:
    """Makes secrets out of the operator's token."""

    def __init__(self, operator_token: str) -> None:
        """Derive from this token."""
        self._key = operator_token.encode()

    def make(self) -> Made:
        """Make a new secret."""
        nonce = secrets.token_hex(32)
        return Made(digest=sha256(self._derived(nonce)), nonce=nonce)

    def shown(self, made: Made) -> str | None:
        """Give a secret; ``None``: it was made under another operator's token."""
        token = self._derived(made.nonce)
        return token if sha256(token) == made.digest else None

    def _derived(self, nonce: str) -> str:
        """Give the secret of a nonce: 64 hex characters that nobody else can compute."""
        return hmac.digest(self._key, b"hubbub token " + nonce.encode(), "sha256").hex()


def sha256(token: str) -> str:
    """Give the digest under which a token is kept and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()
