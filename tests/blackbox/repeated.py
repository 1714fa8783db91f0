"""Every verb that takes an idempotency key, as a request, the same again, and another one.

A case's request may name what earlier cases made: `$name` is the value that a case of that
name `keeps`. Cases of one door are one story, told on one daemon.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from tests.clients.guests import Guests
from tests.clients.x0x import b64, of_type
from tests.daemon import Daemon


Call = Callable[[str, Any, str], Awaitable[Any]]
"""Sends a verb with its body under a key and gives the answer without what names the request."""


class Case(NamedTuple):
    """One verb."""

    verb: str
    body: Mapping[str, Any]
    other: Mapping[str, Any]
    """Another body of the same verb, which under the same key is a conflict."""
    keeps: str = ""
    """Name under which the answer is kept for later cases."""
    same: tuple[str, ...] = ()
    """Fields of the answer that must be the same; empty: the whole answer."""


SESSION = "agent:main:tea"
TURN = {"prompt": "p"}
OUTCOME = {"status": "success"}

HUBBUB = [
    Case("topics.publish", {"topic": "t", "data": 1}, {"topic": "t", "data": 2}),
    Case("direct.send", {"to": "ann", "payload": "aGk="}, {"to": "ann", "payload": "aG8="}),
    Case("runs.start", {"agent": "ann", "intent": "a"}, {"agent": "ann", "intent": "b"}, "run"),
    Case(
        "runs.record_turns",
        {"run_id": "$run.run_id", "turns": [TURN]},
        {"run_id": "$run.run_id", "turns": [TURN, TURN]},
    ),
    Case(
        "runs.complete",
        {"run_id": "$run.run_id", "outcome": OUTCOME},
        {"run_id": "$run.run_id", "outcome": {"status": "failure"}},
    ),
    Case("runs.start", {"agent": "ann", "intent": "c"}, {"agent": "ann", "intent": "d"}, "run"),
    Case("runs.cancel", {"run_id": "$run.run_id"}, {"run_id": "$run.run_id", "reason": "tea"}),
    Case("issues.create", {"title": "a"}, {"title": "b"}, "one"),
    Case("issues.create", {"title": "c"}, {"title": "d"}, "two"),
    Case("issues.update", {"id": "$one.id", "title": "e"}, {"id": "$one.id", "title": "f"}),
    Case("issues.comment", {"id": "$one.id", "content": "g"}, {"id": "$one.id", "content": "h"}),
    Case("issues.label", {"id": "$one.id", "label": "i"}, {"id": "$one.id", "label": "j"}),
    Case("issues.unlabel", {"id": "$one.id", "label": "i"}, {"id": "$one.id", "label": "j"}),
    Case(
        "issues.block",
        {"id": "$one.id", "blocker_id": "$two.id"},
        {"id": "$two.id", "blocker_id": "$one.id"},
    ),
    Case(
        "issues.unblock",
        {"id": "$one.id", "blocker_id": "$two.id"},
        {"id": "$two.id", "blocker_id": "$one.id"},
    ),
    Case("issues.close", {"id": "$one.id"}, {"id": "$two.id"}),
    Case("issues.reopen", {"id": "$one.id"}, {"id": "$two.id"}),
    Case(
        "locks.claim",
        {"issue_id": "$one.id", "agent": "ann"},
        {"issue_id": "$two.id", "agent": "ann"},
        "claim",
    ),
    Case(
        "locks.renew",
        {"issue_id": "$one.id", "agent": "ann", "fence": "$claim.fence"},
        {"issue_id": "$one.id", "agent": "ann", "fence": "$claim.fence", "lease_ms": 50_000},
    ),
    Case(
        "locks.steal",
        {"issue_id": "$one.id", "agent": "bo", "reason": "k"},
        {"issue_id": "$one.id", "agent": "bo", "reason": "l"},
        "lock",
    ),
    Case(
        "locks.release",
        {"issue_id": "$one.id", "agent": "bo", "fence": "$lock.fence"},
        {"issue_id": "$two.id", "agent": "bo"},
    ),
    Case(
        "reservations.claim",
        {"paths": ["a/*"], "agent": "ann"},
        {"paths": ["b/*"], "agent": "ann"},
        "held",
    ),
    Case(
        "reservations.renew",
        {"id": "$held.id", "lease_ms": 50_000},
        {"id": "$held.id", "lease_ms": 60_000},
    ),
    Case("reservations.release", {"id": "$held.id"}, {"id": 7}),
    Case("issues.delete", {"id": "$two.id"}, {"id": "$one.id"}),
    Case(
        "chat.send",
        {"session": SESSION, "message": "a"},
        {"session": SESSION, "message": "b"},
        same=("run_id",),
    ),
    Case("chat.abort", {"session": SESSION}, {"session": "agent:main:other"}),
    Case("chat.inject", {"session": SESSION, "message": "a"}, {"session": SESSION, "message": "b"}),
    Case(
        "chat.session_patch",
        {"session": SESSION, "changes": {"label": "x"}},
        {"session": SESSION, "changes": {"label": "y"}},
    ),
    Case("chat.session_reset", {"session": SESSION}, {"session": "agent:main:other"}),
    Case(
        "chat.import_session",
        {"session": "agent:main:old", "entry": {"sessionId": "s"}},
        {"session": "agent:main:old", "entry": {"sessionId": "u"}},
    ),
    Case("chat.session_delete", {"session": SESSION}, {"session": "agent:main:old"}),
    Case("tokens.create", {"agent": "cy"}, {"agent": "di"}),
    Case("tokens.revoke", {"token": "cy"}, {"token": "ann"}),
    Case("tokens.ticket", {}, {"scopes": ["read"]}, "ticket"),
    Case("tokens.redeem", {"ticket": "$ticket.ticket"}, {"ticket": "another"}),
]

X0X = [
    Case("POST /publish", {"topic": "t", "payload": b64("1")}, {"topic": "t", "payload": b64("2")}),
    Case(
        "POST /direct/send",
        {"agent_id": "$me", "payload": b64("1")},
        {"agent_id": "$me", "payload": b64("2")},
    ),
    Case("POST /subscribe", {"topic": "t"}, {"topic": "u"}, "sub"),
    Case("POST /subscribe", {"topic": "v"}, {"topic": "u"}, "other"),
    Case(
        "DELETE /subscribe/{id}",
        {"id": "$sub.subscription_id"},
        {"id": "$other.subscription_id"},
    ),
    Case(
        "socket publish",
        {"topic": "t", "payload": b64("1")},
        {"topic": "t", "payload": b64("2")},
    ),
    Case(
        "socket send_direct",
        {"agent_id": "$me", "payload": b64("1")},
        {"agent_id": "$me", "payload": b64("2")},
    ),
]

ISSUES = "/api/v1/issues"
LOCKS = "/api/v1/locks"

CROSSLINK = [
    Case(f"POST {ISSUES}", {"title": "a"}, {"title": "b"}, "one"),
    Case(f"POST {ISSUES}", {"title": "c"}, {"title": "d"}, "two"),
    Case(
        f"POST {ISSUES}/{{id}}/subissue",
        {"id": "$one.id", "title": "a"},
        {"id": "$one.id", "title": "b"},
    ),
    Case(
        f"PATCH {ISSUES}/{{id}}", {"id": "$one.id", "title": "e"}, {"id": "$one.id", "title": "f"}
    ),
    Case(
        f"POST {ISSUES}/{{id}}/comments",
        {"id": "$one.id", "content": "g"},
        {"id": "$one.id", "content": "h"},
    ),
    Case(
        f"POST {ISSUES}/{{id}}/labels",
        {"id": "$one.id", "label": "i"},
        {"id": "$one.id", "label": "j"},
    ),
    Case(
        f"DELETE {ISSUES}/{{id}}/labels/{{label}}",
        {"id": "$one.id", "label": "i"},
        {"id": "$one.id", "label": "j"},
    ),
    Case(
        f"POST {ISSUES}/{{id}}/block",
        {"id": "$one.id", "blocker_id": "$two.id"},
        {"id": "$two.id", "blocker_id": "$one.id"},
    ),
    Case(
        f"DELETE {ISSUES}/{{id}}/block/{{blocker_id}}",
        {"id": "$one.id", "blocker_id": "$two.id"},
        {"id": "$two.id", "blocker_id": "$one.id"},
    ),
    Case(f"POST {ISSUES}/{{id}}/close", {"id": "$one.id"}, {"id": "$two.id"}),
    Case(f"POST {ISSUES}/{{id}}/reopen", {"id": "$one.id"}, {"id": "$two.id"}),
    Case(
        f"POST {LOCKS}/notify",
        {"issue_id": 7, "action": "claimed", "agent_id": "ann"},
        {"issue_id": 8, "action": "claimed", "agent_id": "ann"},
    ),
    Case(
        f"POST {LOCKS}/{{issue}}/claim",
        {"issue": "$one.id", "agent_id": "ann"},
        {"issue": "$two.id", "agent_id": "ann"},
    ),
    Case(
        f"POST {LOCKS}/{{issue}}/steal",
        {"issue": "$one.id", "agent_id": "bo", "reason": "k"},
        {"issue": "$one.id", "agent_id": "bo", "reason": "l"},
    ),
    Case(
        f"POST {LOCKS}/{{issue}}/release",
        {"issue": "$one.id", "agent_id": "bo"},
        {"issue": "$two.id", "agent_id": "bo"},
    ),
    Case(f"DELETE {ISSUES}/{{id}}", {"id": "$two.id"}, {"id": "$one.id"}),
]

CAR = [
    Case(
        "runs.start", {"agent_id": "ann", "intent": "a"}, {"agent_id": "ann", "intent": "b"}, "run"
    ),
    Case(
        "runs.record_turns",
        {"run_id": "$run.run_id", "turns": [TURN]},
        {"run_id": "$run.run_id", "turns": [TURN, TURN]},
    ),
    Case(
        "runs.record_model_turn",
        {"run_id": "$run.run_id", "assistant_text": "a"},
        {"run_id": "$run.run_id", "assistant_text": "b"},
    ),
    Case(
        "runs.complete",
        {"run_id": "$run.run_id", "outcome": OUTCOME},
        {"run_id": "$run.run_id", "outcome": {"status": "failure"}},
    ),
    Case(
        "runs.start", {"agent_id": "ann", "intent": "c"}, {"agent_id": "ann", "intent": "d"}, "run"
    ),
    Case("runs.cancel", {"run_id": "$run.run_id"}, {"run_id": "$run.run_id", "reason": "tea"}),
    Case(
        "agents.chat",
        {"agent_id": "main", "prompt": "a", "session_id": "s"},
        {"agent_id": "main", "prompt": "b", "session_id": "s"},
    ),
    Case("agents.chat.cancel", {"session_id": "s"}, {"session_id": "u"}),
]

OPENCLAW = [
    Case(
        "chat.send",
        {"sessionKey": SESSION, "message": "a"},
        {"sessionKey": SESSION, "message": "b"},
        same=("runId",),
    ),
    Case(
        "agent",
        {"sessionKey": SESSION, "message": "a"},
        {"sessionKey": SESSION, "message": "b"},
        same=("runId",),
    ),
    Case("chat.abort", {"sessionKey": SESSION}, {"sessionKey": "agent:main:other"}),
    Case(
        "chat.inject",
        {"sessionKey": SESSION, "message": "a"},
        {"sessionKey": SESSION, "message": "b"},
    ),
    Case("sessions.patch", {"key": SESSION, "label": "x"}, {"key": SESSION, "label": "y"}),
    Case("sessions.reset", {"key": SESSION}, {"key": "agent:main:other"}),
    Case("sessions.delete", {"key": SESSION}, {"key": "agent:main:other"}),
]

CASES: Mapping[str, list[Case]] = {
    "hubbub": HUBBUB,
    "x0x": X0X,
    "crosslink": CROSSLINK,
    "car": CAR,
    "openclaw": OPENCLAW,
}

CONFLICT = "conflict"
"""What a `Call` gives for a key that was used for another request, in whatever shape it came."""


def filled(body: Any, kept: Mapping[str, Any]) -> Any:
    """Put what earlier cases have kept in the place of `$name.field`."""
    if isinstance(body, dict):
        return {name: filled(value, kept) for name, value in body.items()}
    if isinstance(body, str) and body.startswith("$"):
        name, _, field = body[1:].partition(".")
        return kept[name][field] if field else kept[name]
    return body


async def callers(daemon: Daemon, guests: Guests) -> Mapping[str, Call]:
    """Open a client at each door."""
    return {
        "hubbub": await _hubbub(daemon, guests),
        "x0x": await _x0x(daemon, guests),
        "crosslink": await _crosslink(daemon, guests),
        "car": await _car(daemon, guests),
        "openclaw": await _openclaw(daemon, guests),
    }


async def _hubbub(daemon: Daemon, guests: Guests) -> Call:
    socket = await guests.rpc(daemon)

    async def call(verb: str, body: Any, key: str) -> Any:
        answer = await socket.answer(verb, {**body, "idempotency_key": key})
        if "error" not in answer:
            return answer["result"]
        assert answer["error"]["data"]["code"] == "idempotency_conflict", answer
        return CONFLICT

    return call


def _http(client: Any, is_conflict: Callable[[Any], bool]) -> Call:
    """Make a caller of a REST door: what the path names is taken out of the body."""

    async def call(verb: str, body: Any, key: str) -> Any:
        method, _, path = verb.partition(" ")
        names = [name for name in body if f"{{{name}}}" in path]
        content = {name: value for name, value in body.items() if name not in names}
        url = path.format(**body)
        headers = {"Idempotency-Key": key}
        answer = await client.request(method, url, content or None, headers=headers)
        if answer.status == 200:
            return answer.body
        assert answer.status == 409, answer
        assert is_conflict(answer.body), answer
        return CONFLICT

    return call


async def _x0x(daemon: Daemon, guests: Guests) -> Call:
    rest = _http(await guests.x0x(daemon), lambda body: body["ok"] is False)
    socket = await guests.x0x_socket(daemon)

    async def call(verb: str, body: Any, key: str) -> Any:
        kind, _, command = verb.partition(" ")
        if kind != "socket":
            return await rest(verb, body, key)
        name = "logical_id" if command == "send_direct" else "idempotency_key"
        await socket.send({"type": command, **body, name: key})
        # Read, and then worked off: units are settled in the order in which they came.
        await socket.settle()
        await rest("POST /publish", {"topic": "mark", "payload": b64("x")}, f"mark-{key}")
        await socket.unsubscribe(key)
        failed = socket.untaken(of_type("error"))
        await socket.collect(of_type("error"), len(failed))
        return CONFLICT if failed else "done"

    return call


async def _crosslink(daemon: Daemon, guests: Guests) -> Call:
    return _http(await guests.crosslink(daemon), lambda body: body["error"] == "conflict")


async def _car(daemon: Daemon, guests: Guests) -> Call:
    socket = await guests.car(daemon)

    async def call(verb: str, body: Any, key: str) -> Any:
        answer = await socket.answer(verb, {**body, "idempotency_key": key})
        if "error" not in answer:
            return answer["result"]
        assert key in answer["error"]["message"], answer
        return CONFLICT

    return call


async def _openclaw(daemon: Daemon, guests: Guests) -> Call:
    socket = await guests.openclaw(daemon)

    async def call(verb: str, body: Any, key: str) -> Any:
        answer = await socket.answer(verb, {**body, "idempotencyKey": key})
        if answer["ok"]:
            return answer["payload"]
        assert key in answer["error"]["message"], answer
        return CONFLICT

    return call
