"""Who comes in at hubbub's own door, and by what they show it."""

from hubbub.core.values import Principal
from hubbub.dialects.base import Request
from hubbub.errors import Unauthorized


PROTOCOL = "hubbub"
"""The WebSocket subprotocol of ``/rpc``: JSON-RPC as text."""
TOKEN = "token."  # noqa: S105 the word before one
"""Subprotocol that carries a token: a browser can set no header, and addresses are kept in logs."""
MAX_OPEN_BYTES = 4096
"""Bytes in the body of a call without a token at most."""

NOBODY = Principal(name="nobody", kind="person", scopes=frozenset())
"""Who has shown no token, and needs none."""


def without_token() -> Unauthorized:
    """Make the refusal of a request without a token."""
    return Unauthorized("send Authorization: Bearer TOKEN")


def shown(request: Request) -> str | None:
    """Find the token of a request; ``None``: it carries none."""
    token = request.bearer or request.query.get("token")
    if token is None and "Sec-WebSocket-Protocol" in request.headers:
        offered = (name for name in request.protocols if name.startswith(TOKEN))
        token = next((name.removeprefix(TOKEN) for name in offered), None)
    return token


def may_be_open(request: Request) -> bool:
    """Say whether a request without a token may be a call that needs none; its body will tell."""
    headers = request.headers
    if request.method != "POST" or request.path != "/rpc" or "Authorization" in headers:
        return False
    if "Content-Encoding" in headers:  # little may unpack to much
        return False
    size = headers.get("Content-Length", "")
    return size.isascii() and size.isdigit() and int(size) <= MAX_OPEN_BYTES
