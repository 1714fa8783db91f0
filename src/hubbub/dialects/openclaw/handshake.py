"""From the challenge to a caller: the first frame of a connection and every way it fails.

Pure: one function of the first message and of what is known about the connection. The order
of the checks is the protocol's; clients show the text of the first that fails.
"""

from collections.abc import Callable

import msgspec

from hubbub.core.values import Principal
from hubbub.dialects.openclaw import device as devices
from hubbub.dialects.openclaw import frames
from hubbub.dialects.openclaw.device import Device, Signed
from hubbub.dialects.openclaw.frames import (
    CLOSE_PLAIN,
    CLOSE_POLICY,
    CLOSE_PROTOCOL,
    NOT_PAIRED,
    PROTOCOL,
    Call,
    IllegalFrame,
    Name,
    NotJson,
    Positive,
    Refused,
)


ADMIN = "operator.admin"
CONTROL_UIS = ("clawdbot-control-ui", "moltbot-control-ui")
ROLES = ("operator", "node")
GRANTS = {
    "read": frozenset(("operator.read",)),
    "write": frozenset(("operator.read", "operator.write")),
}
"""What a token's scope lets its holder have here; ``admin`` lets it have everything."""

_LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "[::1]"))
_LOCAL_PEERS = ("127.", "::1", "::ffff:127.")
_PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host")


class Client(msgspec.Struct, frozen=True, rename="camel"):
    """``client`` of the connect parameters: which program this is."""

    id: Name
    version: Name
    platform: Name
    mode: Name
    display_name: str | None = None
    device_family: str | None = None
    model_identifier: str | None = None
    instance_id: str | None = None


class Auth(msgspec.Struct, frozen=True):
    """``auth`` of the connect parameters."""

    token: str = ""
    password: str = ""


class Connect(msgspec.Struct, frozen=True, rename="camel"):
    """Parameters of ``connect``; later clients send more, which is passed over."""

    min_protocol: Positive
    max_protocol: Positive
    client: Client
    role: str = "operator"
    scopes: list[Name] = []
    caps: list[Name] = []
    commands: list[Name] = []
    permissions: dict[str, bool] = {}
    device: Device | None = None
    auth: Auth = Auth()
    locale: str | None = None
    user_agent: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a connection before its first frame."""

    nonce: str
    is_local: bool
    now_ms: int
    skew_ms: int
    allow_insecure_control_ui: bool = False


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A client that may work."""

    request_id: str
    principal: Principal
    connect: Connect
    scopes: frozenset[str]
    """What it asked for and its token grants."""


class Rejected(Exception):
    """A connection that ends here."""

    def __init__(self, close_code: int, close_reason: str, answer: bytes | None = None) -> None:
        """Say how to close, and what to answer before, if anything."""
        super().__init__(close_reason)
        self.close_code = close_code
        self.close_reason = frames.reason(close_reason)
        self.answer = answer


def accept(text: str, facts: Facts, known: Callable[[str], Principal | None]) -> Accepted:
    """Take the first message of a connection.

    Args:
        known: Gives the principal of a token; compares in constant time.

    Raises:
        Rejected: Answer and close as it says.
    """
    try:
        call = frames.decode(text)
    except NotJson:
        raise Rejected(CLOSE_PLAIN, "") from None
    except IllegalFrame:
        raise Rejected(CLOSE_POLICY, "invalid request frame") from None
    if call.method != "connect":
        raise _rejected(call, "invalid handshake: first request must be connect")
    try:
        connect = frames.decode_params(call, Connect)
    except Refused as refused:
        raise _rejected(call, str(refused)) from None
    _check_protocol(call, connect)
    if connect.role not in ROLES:
        raise _rejected(call, "invalid role")
    _check_device(call, connect, facts)
    principal = _authorize(call, connect, known)
    return Accepted(
        request_id=call.id,
        principal=principal,
        connect=connect,
        scopes=grant(connect, principal),
    )


def grant(connect: Connect, principal: Principal) -> frozenset[str]:
    """Give the scopes of a connection: what was asked for, as far as the token goes."""
    asked = frozenset(connect.scopes)
    if not asked and connect.role == "operator":
        asked = frozenset((ADMIN,))
    if "admin" in principal.scopes:
        return asked
    allowed = frozenset[str]().union(*(GRANTS.get(scope, ()) for scope in principal.scopes))
    return allowed if ADMIN in asked else asked & allowed


def is_local(remote: str, host: str, has_header: Callable[[str], bool]) -> bool:
    """Say whether a client is on this machine, and not behind a proxy on it.

    Args:
        remote: The peer's address.
        host: The ``Host`` header.
        has_header: Says whether the request carries a header.
    """
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return (
        remote.startswith(_LOCAL_PEERS)
        and name in _LOCAL_HOSTS
        and not any(map(has_header, _PROXY_HEADERS))
    )


def _check_protocol(call: Call, connect: Connect) -> None:
    if not connect.min_protocol <= PROTOCOL <= connect.max_protocol:
        details = {"expectedProtocol": PROTOCOL}
        raise _rejected(call, "protocol mismatch", close_code=CLOSE_PROTOCOL, details=details)


def _check_device(call: Call, connect: Connect, facts: Facts) -> None:
    """Refuse a client without a device where it needs one, or one whose device is false."""
    device, client = connect.device, connect.client
    if device is None:
        if client.id in CONTROL_UIS and not facts.allow_insecure_control_ui:
            raise _rejected(call, "control ui requires HTTPS or localhost (secure context)")
        if not connect.auth.token:
            raise _rejected(call, "device identity required", code=NOT_PAIRED)
        return
    signed = Signed(
        client_id=client.id,
        client_mode=client.mode,
        role=connect.role,
        scopes=tuple(connect.scopes),
        token=connect.auth.token,
    )
    problem = devices.check(
        device,
        signed,
        nonce=facts.nonce,
        is_local=facts.is_local,
        now_ms=facts.now_ms,
        skew_ms=facts.skew_ms,
    )
    if problem is not None:
        raise _rejected(call, problem)


def _authorize(call: Call, connect: Connect, known: Callable[[str], Principal | None]) -> Principal:
    """Find out who calls: hubbub's tokens are taken as token and as password."""
    for secret in (connect.auth.token, connect.auth.password):
        if secret and (principal := known(secret)) is not None:
            return principal
    kind = "password" if connect.auth.password and not connect.auth.token else "token"
    problem = "mismatch" if connect.auth.token or connect.auth.password else "missing"
    hint = _hint(connect.client, kind)
    raise _rejected(call, f"unauthorized: gateway {kind} {problem} ({hint})")


def _hint(client: Client, kind: str) -> str:
    """Tell the users of each client where to put the secret."""
    if client.id == "cli" or client.mode == "cli":
        return f"set gateway.remote.{kind} to match gateway.auth.{kind}"
    if client.id in CONTROL_UIS or client.mode == "webchat":
        if kind == "password":
            return "enter the password in Control UI settings"
        return "open a tokenized dashboard URL or paste token in Control UI settings"
    return f"provide gateway auth {kind}"


def _rejected(
    call: Call,
    text: str,
    *,
    close_code: int = CLOSE_POLICY,
    code: str = frames.INVALID_REQUEST,
    details: object = None,
) -> Rejected:
    refused = Refused(text, code=code, details=details)
    return Rejected(close_code, text, frames.refusal(call.id, refused))
