"""``tools.*`` and ``policy.*``: what an agent says it can do, for as long as it is connected.

Nothing here runs a tool: proposals are not part of this door yet.
"""

from collections.abc import Mapping, Sequence

import msgspec

from hubbub.dialects.car.methods import Caller, Method, at_once
from hubbub.errors import InvalidRequest, TooLarge


RULES = {
    "deny_tool": ("target",),
    "deny_tool_param": ("target", "key", "pattern"),
    "require_state": ("key",),
}
"""What each rule of a policy needs to be told."""


class Named(msgspec.Struct, frozen=True):
    """What has a name; and params of the methods that need just one."""

    name: str


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """Params of ``policy.register``."""

    name: str
    rule: str
    target: str | None = None
    key: str | None = None
    pattern: str | None = None
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    session_id: str | None = None


class Nothing(msgspec.Struct, frozen=True):
    """Params of methods that take none."""


class Shelf:
    """Definitions of one kind by name, bounded in number and bytes."""

    def __init__(self, what: str, max_items: int, max_bytes: int) -> None:
        """Begin empty."""
        self._what = what
        self._max_items = max_items
        self._max_bytes = max_bytes
        self.items: dict[str, msgspec.Raw] = {}

    def with_more(self, more: Sequence[tuple[str, msgspec.Raw]]) -> dict[str, msgspec.Raw]:
        """Give what the shelf would hold with these too, those of the same name replaced.

        Raises:
            InvalidRequest: One has an empty name.
            TooLarge: That would be more than it may hold.
        """
        items = {**self.items, **dict(more)}
        if "" in items:
            message = f"each {self._what} needs a name"
            raise InvalidRequest(message)
        size = sum(len(bytes(item)) for item in items.values())
        if len(items) > self._max_items or size > self._max_bytes:
            message = (
                f"a connection registers {self._max_items} {self._what} definitions "
                f"of {self._max_bytes} bytes together at most"
            )
            raise TooLarge(message)
        return items

    def sorted(self) -> list[msgspec.Raw]:
        """Give the definitions in the order of their names."""
        return [self.items[name] for name in sorted(self.items)]


def tool_items(tools: Sequence[msgspec.Raw]) -> list[tuple[str, msgspec.Raw]]:
    """Give tools with their names.

    Raises:
        InvalidRequest: One is not an object with a name.
    """
    return [(_decode(tool, Named, "a tool is an object with a name").name, tool) for tool in tools]


def policy_items(policies: Sequence[Policy]) -> list[tuple[str, msgspec.Raw]]:
    """Give policies with their names.

    Raises:
        InvalidRequest: A rule is unknown, or lacks what it needs.
    """
    for policy in policies:
        check_policy(policy)
    return [(policy.name, msgspec.Raw(msgspec.json.encode(policy))) for policy in policies]


def check_policy(policy: Policy) -> None:
    """Check that a policy could be applied.

    Raises:
        InvalidRequest: Its rule is unknown, or lacks what it needs.
    """
    needed = RULES.get(policy.rule)
    if needed is None:
        message = f"a policy's rule is one of {', '.join(RULES)}, not {policy.rule!r}"
        raise InvalidRequest(message)
    lacking = [field for field in needed if getattr(policy, field) is None]
    if lacking:
        message = f"rule {policy.rule} needs {', '.join(lacking)}"
        raise InvalidRequest(message)


def _decode(raw: msgspec.Raw, shape: type[Named], expected: str) -> Named:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.DecodeError:
        raise InvalidRequest(expected) from None


def register_tools(caller: Caller, tools: list[msgspec.Raw]) -> int:
    """Add tools, replacing those of the same name; gives how many."""
    caller.tools.items = caller.tools.with_more(tool_items(tools))
    return len(tools)


def list_tools(caller: Caller, _params: Nothing) -> object:
    """Give the tools of this connection, by name."""
    tools = caller.tools.sorted()
    return {"tools": tools, "count": len(tools)}


def unregister_tool(caller: Caller, params: Named) -> object:
    """Take a tool away."""
    removed = caller.tools.items.pop(params.name, None) is not None
    return {"unregistered": params.name, "removed": int(removed)}


def register_policy(caller: Caller, params: Policy) -> object:
    """Add a policy, replacing one of the same name."""
    caller.policies.items = caller.policies.with_more(policy_items([params]))
    return {"registered": params.name, "scope": "global"}


def list_policies(caller: Caller, _params: Nothing) -> object:
    """Give the policies of this connection, by name."""
    policies = [msgspec.json.decode(raw, type=Policy) for raw in caller.policies.sorted()]
    shown = [{"name": policy.name, "description": policy.rule} for policy in policies]
    return {"policies": shown, "scope": "global"}


def unregister_policy(caller: Caller, params: Named) -> Mapping[str, object]:
    """Take a policy away."""
    removed = caller.policies.items.pop(params.name, None) is not None
    return {"unregistered": params.name, "removed": int(removed), "scope": "global"}


METHODS = [
    Method(name="tools.register", params=list[msgspec.Raw], run=at_once(register_tools)),
    Method(name="tools.list", params=Nothing, run=at_once(list_tools)),
    Method(name="tools.unregister", params=Named, run=at_once(unregister_tool)),
    Method(name="policy.register", params=Policy, run=at_once(register_policy)),
    Method(name="policy.list", params=Nothing, run=at_once(list_policies)),
    Method(name="policy.unregister", params=Named, run=at_once(unregister_policy)),
]
