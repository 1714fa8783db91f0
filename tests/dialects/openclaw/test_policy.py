"""Scopes: who may call which method, and what the others hear."""

import pytest

from hubbub.dialects.openclaw.policy import objection


READ, WRITE, ADMIN = "operator.read", "operator.write", "operator.admin"
MISSING = "missing scope: operator."


@pytest.mark.parametrize(
    ("method", "scopes", "expected"),
    [
        ("health", {READ}, None),
        ("health", {WRITE}, None),
        ("health", set(), MISSING + "read"),
        ("chat.history", {"operator.pairing"}, MISSING + "read"),
        ("chat.send", {WRITE}, None),
        ("chat.send", {READ}, MISSING + "write"),
        ("agent.wait", {READ}, MISSING + "write"),
        ("chat.inject", {WRITE}, MISSING + "admin"),
        ("sessions.list", {READ}, None),
        ("sessions.patch", {WRITE}, MISSING + "admin"),
        ("sessions.resolve", {READ}, MISSING + "admin"),
        ("config.get", {READ}, MISSING + "admin"),
        ("exec.approval.resolve", {WRITE}, MISSING + "approvals"),
        ("exec.approval.resolve", {"operator.approvals"}, None),
        ("device.pair.list", {READ}, MISSING + "pairing"),
        ("node.rename", {"operator.pairing"}, None),
        ("no.such.method", {READ, WRITE}, MISSING + "admin"),
        ("no.such.method", {ADMIN}, None),
        ("device.pair.list", {ADMIN}, None),
        ("node.event", {ADMIN}, "unauthorized role: operator"),
    ],
)
def test_scope_of_an_operator(method: str, scopes: set[str], expected: str | None) -> None:
    """Each method has its scope; write includes read, admin everything, unknown needs admin."""
    assert objection(method, "operator", frozenset(scopes)) == expected


def test_role_node_calls_its_own_methods_only() -> None:
    """A node may call what only nodes may, whatever its scopes."""
    assert objection("node.event", "node", frozenset()) is None
    assert objection("health", "node", frozenset((ADMIN,))) == "unauthorized role: node"
