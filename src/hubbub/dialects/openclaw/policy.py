"""Which scope a method needs, and who may call it at all."""

from hubbub.dialects.openclaw.handshake import ADMIN
from hubbub.dialects.scopes import OPENCLAW


READ = "operator.read"
WRITE = "operator.write"
APPROVALS = "operator.approvals"
PAIRING = "operator.pairing"

NODE_METHODS = frozenset(("node.invoke.result", "node.event", "skills.bins"))
"""Only the role node may call these, and nothing else."""

_READ_ELSEWHERE = frozenset(
    (
        "usage.status",
        "usage.cost",
        "tts.status",
        "tts.providers",
        "voicewake.get",
        "cron.runs",
        "node.describe",
    )
)
_WRITE_ELSEWHERE = frozenset(
    (
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
"""Methods of other gateways, not served here: who may call them hears that they are unknown."""
_APPROVALS = frozenset(("exec.approval.request", "exec.approval.resolve"))
_PAIRING_PREFIXES = ("node.pair.", "device.pair.", "device.token.")


def needed(method: str) -> str:
    """Give the scope that a method needs, as this wire names it; unknown ones need the highest."""
    if method in _READ_ELSEWHERE:
        return READ
    if method in _WRITE_ELSEWHERE:
        return WRITE
    if method in _APPROVALS:
        return APPROVALS
    if method == "node.rename" or method.startswith(_PAIRING_PREFIXES):
        return PAIRING
    scope = OPENCLAW.get(method)
    return ADMIN if scope is None else f"operator.{scope}"


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
