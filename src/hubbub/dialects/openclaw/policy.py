"""Which scope a method needs, and who may call it at all."""

from hubbub.dialects.openclaw.handshake import ADMIN


READ = "operator.read"
WRITE = "operator.write"
APPROVALS = "operator.approvals"
PAIRING = "operator.pairing"

NODE_METHODS = frozenset(("node.invoke.result", "node.event", "skills.bins"))
"""Only the role node may call these, and nothing else."""

_READ = frozenset(
    (
        "health",
        "status",
        "logs.tail",
        "channels.status",
        "usage.status",
        "usage.cost",
        "tts.status",
        "tts.providers",
        "models.list",
        "agents.list",
        "agent.identity.get",
        "skills.status",
        "voicewake.get",
        "sessions.list",
        "sessions.preview",
        "cron.list",
        "cron.status",
        "cron.runs",
        "system-presence",
        "last-heartbeat",
        "node.list",
        "node.describe",
        "chat.history",
    )
)
_WRITE = frozenset(
    (
        "chat.send",
        "chat.abort",
        "agent",
        "agent.wait",
        "send",
        "wake",
        "talk.mode",
        "tts.enable",
        "tts.disable",
        "tts.convert",
        "tts.setProvider",
        "voicewake.set",
        "node.invoke",
        "browser.request",
    )
)
_APPROVALS = frozenset(("exec.approval.request", "exec.approval.resolve"))
_PAIRING_PREFIXES = ("node.pair.", "device.pair.", "device.token.")


def needed(method: str) -> str:
    """Give the scope that a method needs; unknown methods need the highest."""
    if method in _READ:
        return READ
    if method in _WRITE:
        return WRITE
    if method in _APPROVALS:
        return APPROVALS
    if method == "node.rename" or method.startswith(_PAIRING_PREFIXES):
        return PAIRING
    return ADMIN


def objection(method: str, role: str, scopes: frozenset[str]) -> str | None:
    """Say why a caller may not call a method; ``None``: it may."""
    if (role == "node") != (method in NODE_METHODS):
        return f"unauthorized role: {role}"
    if role == "node" or ADMIN in scopes:
        return None
    scope = needed(method)
    if scope in scopes or (scope == READ and WRITE in scopes):
        return None
    return f"missing scope: {scope}"
