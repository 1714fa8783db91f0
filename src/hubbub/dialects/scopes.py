"""Which scope each call of each door needs: the one table by which all doors decide.

A row is named by its method, by `VERB path` for an HTTP route, by `WS path` for opening a
socket, or by `ws command` for a command on one that has no methods. What has no row cannot be
called: the daemon does not start with a route or a method that is missing here.
"""

from collections.abc import Iterable, Mapping

from hubbub.core.values import Principal, Scope
from hubbub.errors import Forbidden


Rows = Mapping[str, Scope | None]
"""Scope by call; ``None``: open, also to those who have shown no token."""

HUBBUB: Rows = {
    "POST /rpc": "read",
    "GET /events": "read",
    "GET /": None,
    "GET /page/{path:.*}": None,
    "GET /healthz": None,
    "GET /readyz": None,
    "GET /metrics": None,
    "GET /openrpc.json": None,
    "WS /rpc": "read",
    "system.ping": "read",
    "system.status": "read",
    "system.health": "read",
    "topics.publish": "write",
    "topics.subscribe": "read",
    "topics.unsubscribe": "read",
    "topics.list": "read",
    "journal.read": "read",
    "journal.activity": "read",
    "journal.event": "read",
    "journal.effects": "read",
    "runs.start": "write",
    "runs.complete": "write",
    "runs.record_turns": "write",
    "runs.cancel": "write",
    "runs.resume": "write",
    "runs.get": "read",
    "runs.list": "read",
    "runs.trace": "read",
    "issues.create": "write",
    "issues.list": "read",
    "issues.get": "read",
    "issues.ready": "read",
    "issues.blocked": "read",
    "issues.update": "write",
    "issues.close": "write",
    "issues.reopen": "write",
    "issues.delete": "write",
    "issues.comment": "write",
    "issues.label": "write",
    "issues.unlabel": "write",
    "issues.block": "write",
    "issues.unblock": "write",
    "locks.claim": "write",
    "locks.renew": "write",
    "locks.release": "write",
    "locks.steal": "write",
    "locks.list": "read",
    "reservations.claim": "write",
    "reservations.renew": "write",
    "reservations.release": "write",
    "reservations.list": "read",
    "agents.heartbeat": "write",
    "agents.list": "read",
    "agents.attach": "write",
    "agents.detach": "write",
    "chat.say": "write",
    "chat.answer": "write",
    "presence.list": "read",
    "tokens.create": "admin",
    "tokens.list": "admin",
    "tokens.revoke": "admin",
    "tokens.ticket": "admin",
    "tokens.redeem": None,
    "chat.send": "write",
    "chat.abort": "write",
    "chat.inject": "write",
    "chat.history": "read",
    "chat.sessions": "read",
    "chat.session_patch": "write",
    "chat.session_reset": "write",
    "chat.session_delete": "write",
    "chat.import_session": "admin",
    "direct.send": "write",
    "agents.identity": "read",
    "room.snapshot": "read",
}

X0X: Rows = {
    "POST /publish": "write",
    "POST /subscribe": "read",
    "DELETE /subscribe/{id}": "read",
    "GET /events": "read",
    "POST /direct/send": "write",
    "GET /direct/events": "read",
    "GET /ws/sessions": "read",
    "GET /diagnostics/ws": "read",
    "POST /auth/session": "read",
    "POST /shutdown": "admin",
    "GET /health": None,
    "GET /status": "read",
    "GET /agent": "read",
    "GET /agent/user-id": "read",
    "POST /announce": "write",
    "POST /agents/connect": "write",
    "GET /agents/discovered": "read",
    "GET /agents/discovered/{id}": "read",
    "GET /direct/connections": "read",
    "GET /presence": "read",
    "GET /presence/online": "read",
    "GET /presence/events": "read",
    "WS /ws": "read",
    "WS /ws/direct": "read",
    "ws publish": "write",
    "ws subscribe": "read",
    "ws unsubscribe": "read",
    "ws send_direct": "write",
    "ws ping": "read",
}

CROSSLINK: Rows = {
    "GET /api/v1/health": None,
    "GET /api/v1/issues": "read",
    "GET /api/v1/issues/blocked": "read",
    "GET /api/v1/issues/ready": "read",
    "GET /api/v1/issues/{id}": "read",
    "GET /api/v1/issues/{id}/comments": "read",
    "POST /api/v1/issues": "write",
    "PATCH /api/v1/issues/{id}": "write",
    "DELETE /api/v1/issues/{id}": "write",
    "POST /api/v1/issues/{id}/close": "write",
    "POST /api/v1/issues/{id}/reopen": "write",
    "POST /api/v1/issues/{id}/subissue": "write",
    "POST /api/v1/issues/{id}/comments": "write",
    "POST /api/v1/issues/{id}/labels": "write",
    "DELETE /api/v1/issues/{id}/labels/{label}": "write",
    "POST /api/v1/issues/{id}/block": "write",
    "DELETE /api/v1/issues/{id}/block/{blocker_id}": "write",
    "GET /api/v1/agents": "read",
    "GET /api/v1/agents/{agent}": "read",
    "GET /api/v1/agents/{agent}/status": "read",
    "GET /api/v1/locks": "read",
    "GET /api/v1/locks/stale": "read",
    "POST /api/v1/locks/notify": "write",
    "POST /api/v1/locks/{issue}/claim": "write",
    "POST /api/v1/locks/{issue}/release": "write",
    "POST /api/v1/locks/{issue}/steal": "write",
    "WS /ws": "read",
}

CAR: Rows = {
    "WS /{path:.*}": None,
    "WS ": None,
    "server.handshake": "read",
    "session.init": "read",
    "runs.start": "write",
    "runs.complete": "write",
    "runs.resume": "write",
    "runs.cancel": "write",
    "runs.record_turns": "write",
    "runs.record_model_turn": "write",
    "runs.list": "read",
    "runs.get_trace": "read",
    "runs.subscribe": "read",
    "runs.unsubscribe": "read",
    "tools.register": "read",
    "tools.list": "read",
    "tools.unregister": "read",
    "policy.register": "read",
    "policy.list": "read",
    "policy.unregister": "read",
    "agents.register_basics": "write",
    "agents.list": "read",
    "host.subscribe": "read",
    "host.agents": "read",
    "agents.chat": "write",
    "agents.chat.cancel": "write",
    "session.auth": None,
    "agent.chat.event": "write",
}
"""Tools and policies are a connection's own, and end with it: to register them changes nothing."""

OPENCLAW: Rows = {
    "GET /{path:.*}": None,
    "WS /{path:.*}": None,
    "chat.history": "read",
    "chat.send": "write",
    "chat.abort": "write",
    "chat.inject": "admin",
    "sessions.list": "read",
    "sessions.preview": "read",
    "sessions.resolve": "admin",
    "sessions.patch": "admin",
    "sessions.reset": "admin",
    "sessions.delete": "admin",
    "agent": "write",
    "agent.wait": "write",
    "health": "read",
    "status": "read",
    "system-presence": "read",
    "agents.list": "read",
    "agent.identity.get": "read",
    "models.list": "read",
    "last-heartbeat": "read",
    "device.pair.list": "admin",
    "cron.status": "read",
    "cron.list": "read",
    "skills.status": "read",
    "config.get": "admin",
    "logs.tail": "read",
    "node.list": "read",
    "channels.status": "read",
    "connect": None,
}
"""What needs `admin` here is what its own gateway lets none but `operator.admin` do."""

SCOPES: Mapping[str, Rows] = {
    "hubbub": HUBBUB,
    "x0x": X0X,
    "crosslink": CROSSLINK,
    "car": CAR,
    "openclaw": OPENCLAW,
}
"""The whole table, by the name of the door."""


def check(rows: Rows, call: str, caller: Principal | None) -> None:
    """Check that a caller may make a call.

    Args:
        caller: ``None``: nobody has to say here who calls, or the door has let it in without.

    Raises:
        Forbidden: The caller lacks the scope, or the call has no row.
    """
    if call not in rows:
        message = f"{call} has no row in the table of scopes, so nobody may call it"
        raise Forbidden(message)
    scope = rows[call]
    if scope is not None and caller is not None:
        caller.require(scope)


def lacks(rows: Rows, call: str, caller: Principal | None) -> bool:
    """Say whether a caller may not make a call that has no answer to be refused by."""
    try:
        check(rows, call, caller)
    except Forbidden:
        return True
    return False


def complete(rows: Rows, calls: Iterable[str]) -> None:
    """Insist that every call has a row.

    Raises:
        LookupError: One has none.
    """
    missing = sorted(set(calls) - set(rows))
    if missing:
        message = f"no row in the table of scopes: {', '.join(missing)}"
        raise LookupError(message)
