"""Opening a connection: ``session.auth``, ``server.handshake``, ``session.init``."""

import hmac
from collections.abc import Mapping

import msgspec

from hubbub import __version__
from hubbub.core.identity.access import Access
from hubbub.core.values import Principal
from hubbub.dialects.car.frames import NULL, VersionMismatch
from hubbub.dialects.car.methods import Caller, Method, at_once
from hubbub.dialects.car.tools import Policy, policy_items, tool_items
from hubbub.errors import Unauthorized, Unavailable


VERSIONS = (2, 3)
"""Protocol versions that are echoed; a client insists on getting back its own."""

HOST = Principal(name="host", kind="operator", scopes=frozenset(("read", "write", "admin")))


class Auth(msgspec.Struct, frozen=True):
    """Params of ``session.auth``."""

    token: str | None = None
    host_token: str | None = None
    agent_id: str | None = None
    memory_namespace: str | None = None


class Authenticated(msgspec.Struct, frozen=True, omit_defaults=True):
    """Result of ``session.auth``."""

    ok: bool
    auth_enabled: bool
    role: str | None = None
    agent_id: str | None = None
    memory_namespace: str | None = None


class AuthFailed(Unauthorized):
    """This connection cannot become who it says; clients look at these words."""

    def __init__(self, reason: str = "token mismatch") -> None:
        """Remember why; of a wrong token no more than that it is wrong."""
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        """Say why."""
        return f"auth failed: {self.reason}"


class Handshake(msgspec.Struct, frozen=True):
    """Params of ``server.handshake``."""

    protocol_version: msgspec.Raw = NULL
    required_capabilities: list[str] | None = None


class Init(msgspec.Struct, frozen=True):
    """Params of ``session.init``."""

    tools: list[msgspec.Raw] = msgspec.field(default_factory=list)
    policies: list[Policy] | None = None


def who(access: Access, host_token: str, params: Auth) -> Principal:
    """Find out whom a token stands for.

    Raises:
        AuthFailed: It is nobody's, or not that of the agent that is named.
    """
    if params.host_token is not None:
        if hmac.compare_digest(params.host_token.encode(), host_token.encode()):
            return HOST
        raise AuthFailed
    if params.token is None:
        message = "send the daemon's token as token, or the host's as host_token"
        raise AuthFailed(message)
    principal = access.principal(params.token)
    if principal is None or (params.agent_id and principal.agent != params.agent_id):
        raise AuthFailed
    return principal


def granted(principal: Principal, namespace: str | None) -> Authenticated:
    """Give the answer to a good token."""
    return Authenticated(
        ok=True,
        auth_enabled=True,
        role="host" if principal is HOST else None,
        agent_id=principal.agent,
        memory_namespace=namespace,
    )


def handshake(caller: Caller, params: Handshake) -> object:
    """Agree on the client's protocol version.

    ``server_version`` is left out: 0.58 clients print a long warning on their users' screens
    where it is not their own.
    """
    text = bytes(params.protocol_version)
    version = int(text) if text.isdigit() else None
    if version not in VERSIONS:
        raise VersionMismatch(" or ".join(map(str, VERSIONS)))
    lacking = [c for c in params.required_capabilities or () if not offers(caller.methods, c)]
    if lacking:
        message = f"this daemon lacks the required capabilities {', '.join(lacking)}"
        raise Unavailable(message)
    caller.handshaken = True
    return {
        "protocol_version": version,
        "client_protocol_version": version,
        "server": f"hubbub {__version__}",
    }


def offers(methods: Mapping[str, Method], capability: str) -> bool:
    """Say whether a capability, a method or a family of methods, is here."""
    return any(name == capability or name.startswith(f"{capability}.") for name in methods)


def init(caller: Caller, params: Init) -> object:
    """Register tools and policies in one go: all or nothing."""
    tools = caller.tools.with_more(tool_items(params.tools))
    policies = caller.policies.with_more(policy_items(params.policies or []))
    caller.tools.items, caller.policies.items = tools, policies
    return {
        "session_id": caller.client_id,
        "tools_registered": len(params.tools),
        "policies_registered": len(params.policies or ()),
    }


METHODS = [
    Method(name="server.handshake", params=Handshake, run=at_once(handshake)),
    Method(name="session.init", params=Init, run=at_once(init)),
]
