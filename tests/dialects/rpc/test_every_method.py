"""Every method that `/openrpc.json` lists, called through a daemon: rightly and wrongly."""

from typing import Any

from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


STEPS: list[tuple[str, dict[str, Any]]] = [
    ("system.ping", {}),
    ("system.status", {}),
    ("system.health", {}),
    ("topics.subscribe", {"topics": ["t"]}),
    ("topics.publish", {"topic": "t", "data": 1}),
    ("topics.unsubscribe", {"subscription": "$topics.subscribe.subscription"}),
    ("topics.list", {}),
    ("journal.read", {"topics": ["t"]}),
    ("journal.activity", {"points": 2}),
    ("journal.event", {"id": "$topics.publish.id"}),
    ("journal.effects", {"id": "$topics.publish.id"}),
    ("runs.start", {"intent": "tea", "agent": "ann"}),
    ("runs.record_turns", {"run_id": "$runs.start.run_id", "turns": [{"prompt": "p"}]}),
    ("runs.trace", {"run_id": "$runs.start.run_id"}),
    ("runs.resume", {"run_id": "$runs.start.run_id"}),
    ("runs.complete", {"run_id": "$runs.start.run_id", "outcome": {"status": "success"}}),
    ("runs.get", {"run_id": "$runs.start.run_id"}),
    ("runs.list", {}),
    ("runs.start", {"intent": "more tea", "agent": "ann"}),
    ("runs.cancel", {"run_id": "$runs.start.run_id"}),
    ("issues.create", {"title": "one"}),
    ("issues.create", {"title": "two"}),
    ("issues.list", {}),
    ("issues.get", {"id": 1}),
    ("issues.update", {"id": 1, "title": "first"}),
    ("issues.comment", {"id": 1, "content": "hm"}),
    ("issues.label", {"id": 1, "label": "tea"}),
    ("issues.unlabel", {"id": 1, "label": "tea"}),
    ("issues.block", {"id": 1, "blocker_id": 2}),
    ("issues.ready", {}),
    ("issues.blocked", {}),
    ("issues.unblock", {"id": 1, "blocker_id": 2}),
    ("locks.claim", {"issue_id": 1, "agent": "ann"}),
    ("locks.renew", {"issue_id": 1, "agent": "ann", "fence": "$locks.claim.fence"}),
    ("locks.list", {}),
    ("locks.steal", {"issue_id": 1, "agent": "bo", "reason": "ann sleeps"}),
    ("locks.release", {"issue_id": 1, "agent": "bo", "fence": "$locks.steal.fence"}),
    ("reservations.claim", {"paths": ["src/**"], "agent": "ann"}),
    ("reservations.renew", {"id": "$reservations.claim.id"}),
    ("reservations.list", {}),
    ("reservations.release", {"id": "$reservations.claim.id"}),
    ("issues.close", {"id": 1}),
    ("issues.reopen", {"id": 1}),
    ("issues.delete", {"id": 2}),
    ("agents.heartbeat", {"agent": "ann"}),
    ("agents.list", {}),
    ("agents.identity", {}),
    ("presence.list", {}),
    ("chat.send", {"session": "main", "message": "hi", "idempotency_key": "k"}),
    ("chat.abort", {"session": "main"}),
    ("chat.inject", {"session": "main", "message": "note"}),
    ("chat.history", {"session": "main"}),
    ("chat.sessions", {}),
    ("chat.session_patch", {"session": "main", "changes": {"label": "tea"}}),
    ("chat.session_reset", {"session": "main"}),
    ("chat.import_session", {"session": "agent:main:old", "entry": {"sessionId": "s"}}),
    ("chat.session_delete", {"session": "agent:main:old"}),
    ("room.snapshot", {}),
    ("tokens.create", {"agent": "ann"}),
    ("agents.attach", {"agent": "parrot", "instance": "one"}),
    ("chat.send", {"session": "agent:parrot:main", "message": "hi", "idempotency_key": "turn"}),
    ("chat.say", {"agent": "parrot", "run_id": "turn", "n": 0, "text": "h"}),
    ("chat.answer", {"agent": "parrot", "run_id": "turn", "text": "i"}),
    ("agents.detach", {"agent": "parrot", "instance": "one"}),
    ("direct.send", {"to": "ann", "payload": "aGk="}),
    ("tokens.list", {}),
    ("tokens.revoke", {"token": "ann"}),
    ("tokens.ticket", {}),
    ("tokens.redeem", {"ticket": "$tokens.ticket.ticket"}),
]
"""One small story; `$method.field` is a field of that method's last result."""

READS = {
    *("system.ping", "system.status", "system.health"),
    *("topics.subscribe", "topics.unsubscribe", "topics.list"),
    *("journal.read", "journal.activity", "journal.event", "journal.effects"),
    *("runs.get", "runs.list", "runs.trace", "locks.list", "reservations.list"),
    *("issues.list", "issues.get", "issues.ready", "issues.blocked"),
    *("presence.list", "agents.list", "agents.identity", "chat.history", "chat.sessions"),
    "room.snapshot",
    "tokens.redeem",
}
"""What a token of scope `read` may call; the last needs none."""


async def listed(guests: Guests, daemon: Daemon) -> set[str]:
    """Give the names of all methods."""
    client = await guests.hubbub(daemon)
    return {method["name"] for method in (await client.get("/openrpc.json")).body["methods"]}


def filled(params: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    """Put results of earlier steps where the story refers to them."""

    def value(given: Any) -> Any:
        if not (isinstance(given, str) and given.startswith("$")):
            return given
        method, _, field = given[1:].rpartition(".")
        return results[method][field]

    return {name: value(given) for name, given in params.items()}


async def test_every_method_works_through_the_door(daemon: Daemon, guests: Guests) -> None:
    """The story is told without a refusal, and it leaves no method of the description out."""
    rpc: RpcSocket = await guests.rpc(daemon)
    results: dict[str, Any] = {}

    for method, params in STEPS:
        if method == "chat.say":
            await rpc.expect(lambda frame: frame.get("method") == "chat.turn", what="the turn")
        results[method] = await rpc.call(method, filled(params, results))

    assert set(results) == await listed(guests, daemon)


async def test_every_method_refuses_a_parameter_it_does_not_know(
    daemon: Daemon, guests: Guests
) -> None:
    """A typing error is told, not passed over; the text names the method, nothing is done."""
    rpc = await guests.rpc(daemon)
    good = dict(STEPS)

    for method in sorted(await listed(guests, daemon)):
        params = {**filled(good[method], AnyResult()), "no_such_parameter": 1}
        error = await rpc.fail(method, params)

        assert (error["code"], error["data"]["code"]) == (-32602, "invalid_request"), method
        assert error["message"].startswith(f"params of {method}: "), error
        assert "no_such_parameter" in error["message"], error

    assert (await rpc.call("system.ping"))["position"]["seq"] == 0


class AnyResult(dict[str, Any]):
    """Stands for results where the call will be refused anyway: every number is 1."""

    def __missing__(self, method: str) -> dict[str, Any]:
        own = "e" if method == "topics.publish" else 1
        return {"subscription": 1, "fence": 1, "run_id": "r", "id": own, "ticket": "t"}


async def test_reader_may_call_what_only_reads(daemon: Daemon, guests: Guests) -> None:
    """A token of scope `read` opens exactly these; all else is forbidden before it is read."""
    operator = await guests.rpc(daemon)
    made = await operator.call("tokens.create", {"agent": "eve", "scopes": ["read"]})
    reader = await guests.rpc(daemon, made["token"])
    codes: dict[str, set[str]] = {}

    for method in await listed(guests, daemon):
        error = await reader.fail(method, {"no_such_parameter": 1})
        codes.setdefault(error["data"]["code"], set()).add(method)

    assert set(codes) == {"forbidden", "invalid_request"}
    assert codes["invalid_request"] == READS


async def test_notification_is_done_and_not_answered(daemon: Daemon, guests: Guests) -> None:
    """Over the socket and by POST: 204 without a body, and in the end the event is stored."""
    rpc, client = await guests.rpc(daemon), await guests.hubbub(daemon)
    call = {"jsonrpc": "2.0", "method": "topics.publish", "params": {"topic": "t", "data": 1}}

    answer = await client.post("/rpc", call)
    assert (answer.status, answer.text) == (204, "")
    await rpc.send(call)
    ping = await rpc.answer("system.ping")

    assert ping["id"] == 1, "the notification was answered"

    async def stored() -> bool:
        return [event["data"] for event in await rpc.journal(topics=["t"])] == [1, 1]

    await eventually(stored, what="both events in the journal")


async def test_notification_by_post_is_answered_once_it_is_stored(
    daemon: Daemon, guests: Guests
) -> None:
    """Whoever has the 204 need not fear a crash; what is refused has the error's status."""
    client = await guests.hubbub(daemon)
    call = {"jsonrpc": "2.0", "method": "topics.publish", "params": {"topic": "t", "data": 1}}
    assert (await client.post("/rpc", call)).status == 204
    daemon.kill()
    await daemon.start()
    rpc, client = await guests.rpc(daemon), await guests.hubbub(daemon)
    assert [event["data"] for event in await rpc.journal(topics=["t"])] == [1]

    refused = await client.post("/rpc", {**call, "params": {"topic": "runs/x", "data": 1}})
    assert (refused.status, refused.body["error"]["code"]) == (403, "forbidden")
    unknown = await client.post("/rpc", {**call, "method": "topics.shout"})
    assert (unknown.status, unknown.body["error"]["code"]) == (400, "method_not_found")


async def test_unknown_method_names_the_list_of_them(daemon: Daemon, guests: Guests) -> None:
    """The usual JSON-RPC code, and where to look."""
    error = await (await guests.rpc(daemon)).fail("topics.shout")

    assert error["code"] == -32601
    assert error["data"]["code"] == "method_not_found"
    assert "/openrpc.json lists them all" in error["message"]


async def test_subscriptions_of_a_connection_have_a_limit(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """One more is refused, with the number; ending one makes room."""
    daemon = await start_daemon("[dialects.hubbub]\nmax_subscriptions = 1\nmax_topics = 2\n")
    rpc = await guests.rpc(daemon)
    number = (await rpc.subscribe("t"))["subscription"]

    error = await rpc.fail("topics.subscribe", {"topics": ["u"]})
    assert error["message"] == "a connection has 1 subscriptions at most"
    error = await rpc.fail("topics.subscribe", {"topics": ["a", "b", "c"]})
    assert error["message"] == "topics must name 1 to 2 topics"
    await rpc.call("topics.unsubscribe", {"subscription": number})
    assert (await rpc.subscribe("u"))["subscription"] == number
    error = await rpc.fail("topics.unsubscribe", {"subscription": 9})
    assert error["data"]["code"] == "not_found"


async def test_door_refuses_in_its_own_shape(start_daemon: StartDaemon, guests: Guests) -> None:
    """No token, a wrong one, no such path, a wrong method, too many topics: code and text."""
    daemon = await start_daemon("[dialects.hubbub]\nmax_topics = 1\n")
    nobody, client = await guests.hubbub(daemon, ""), await guests.hubbub(daemon)
    stranger = await guests.hubbub(daemon, "x" * 64)

    none, wrong = await nobody.post("/rpc", {}), await stranger.post("/rpc", {})
    assert (none.status, wrong.status) == (401, 401)
    assert none.body["error"]["message"] == "send Authorization: Bearer TOKEN"
    assert wrong.body["error"]["message"] == "this token is not known"
    missing = await client.get("/nowhere")
    assert (missing.status, missing.body["error"]["code"]) == (404, "not_found")
    other = await client.get("/events?topics=a,b")
    assert (other.status, other.body["error"]["code"]) == (400, "invalid_request")
    deleted = await client.request("DELETE", "/healthz")
    assert (deleted.status, deleted.headers["Allow"]) == (405, "GET")
