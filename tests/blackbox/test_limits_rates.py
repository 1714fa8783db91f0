"""More messages than a caller may send: each door says so in its own shape."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.clients.frames import FrameSocket
from tests.clients.guests import Guests
from tests.clients.http import Answer
from tests.clients.openclaw import connect_params
from tests.clients.rpc import RpcSocket
from tests.clients.x0x import b64
from tests.conftest import StartDaemon
from tests.daemon import Daemon


BURST = 12
CONFIG = f"""
[limits]
messages_per_s = 0.02
messages_burst = {BURST}
"""
"""A caller that has sent its burst waits fifty seconds for one message more."""

Send = Callable[[int], Awaitable[Any]]
"""Sends the request of this number and gives the answer."""


@pytest.fixture
async def strict(start_daemon: StartDaemon) -> Daemon:
    """A daemon of which callers soon have enough."""
    return await start_daemon(CONFIG)


async def until_refused(send: Send, is_refusal: Callable[[Any], bool]) -> tuple[int, Any]:
    """Send until the first refusal; give the number of good answers, and the refusal."""
    for number in range(BURST + 1):
        answer = await send(number)
        if is_refusal(answer):
            return number, answer
    message = f"{BURST + 1} messages were taken"
    raise AssertionError(message)


async def stored(guests: Guests, daemon: Daemon, kind: str) -> int:
    """Count the events of a kind, as a caller who has sent little sees them."""
    rpc = await guests.rpc(daemon, await daemon.agent_token("reader"))
    return len([event for event in await rpc.journal() if event["kind"] == kind])


async def refusals(guests: Guests, daemon: Daemon, listener: str) -> float:
    """Read from the metrics how often a listener refused messages as too many."""
    client = await guests.hubbub(daemon, await daemon.agent_token("watcher"))
    text = (await client.get("/metrics")).text
    head = f'hubbub_refused_total{{limit="rate",listener="{listener}"}} '
    return sum(float(line.removeprefix(head)) for line in text.split("\n") if line.startswith(head))


def is_429(answer: Answer) -> bool:
    """Tell a refusal from a good answer."""
    assert answer.status in {200, 201, 429}, answer
    return answer.status == 429


async def test_x0x_answers_429_with_its_own_body(strict: Daemon, guests: Guests) -> None:
    """`ok:false` and a text; what was answered 200 is stored, and nothing else."""
    client = await guests.x0x(strict, await strict.agent_token("ann"))

    def publish(number: int) -> Awaitable[Answer]:
        return client.post("/publish", {"topic": "t", "payload": b64(f"{number}")})

    good, refused = await until_refused(publish, is_429)

    assert refused.body["ok"] is False
    assert refused.body["error"].startswith("too many requests; try again in ")
    assert 1 <= int(refused.headers["Retry-After"]) <= 50
    assert good == BURST == await stored(guests, strict, "bytes")
    assert await refusals(guests, strict, "x0x") == 1


async def test_crosslink_answers_429_with_its_own_body(strict: Daemon, guests: Guests) -> None:
    """`error` and `detail`; the issues are those that were answered with 200."""
    client = await guests.crosslink(strict, await strict.agent_token("ann"))

    def create(number: int) -> Awaitable[Answer]:
        return client.request("POST", "/api/v1/issues", {"title": f"{number}"})

    good, refused = await until_refused(create, is_429)

    assert refused.body["error"] == "too many requests"
    assert "try again in" in refused.body["detail"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 50
    assert good == BURST == await stored(guests, strict, "issue.changed")


async def test_rpc_by_post_is_answered_429(strict: Daemon, guests: Guests) -> None:
    """The body is the same as for a missing token, with a code of its own."""
    client = await guests.hubbub(strict, await strict.agent_token("ann"))
    params = {"topic": "t", "data": 1}
    call = {"jsonrpc": "2.0", "id": 1, "method": "topics.publish", "params": params}

    good, refused = await until_refused(lambda _: client.post("/rpc", call), is_429)

    error = refused.body["error"]
    assert (error["code"], error["retryable"]) == ("rate_limited", True)
    assert good == BURST == await stored(guests, strict, "message")


async def test_rpc_socket_answers_the_call_with_an_error(strict: Daemon, guests: Guests) -> None:
    """The upgrade counts as a message too; the connection stays, others go on."""
    rpc = await guests.rpc(strict, await strict.agent_token("ann"))

    def publish(number: int) -> Awaitable[Any]:
        return rpc.answer("topics.publish", {"topic": "t", "data": number})

    good, refused = await until_refused(publish, lambda answer: "error" in answer)

    data = refused["error"]["data"]
    assert (data["code"], data["retryable"]) == ("rate_limited", True)
    assert 0 < data["retry_after_ms"] <= 50_000
    assert good == BURST - 1 == await stored(guests, strict, "message")
    assert "error" in await publish(99), "the connection stays, and so does the refusal"


async def test_openclaw_answers_res_with_retry_after(strict: Daemon, guests: Guests) -> None:
    """`ok:false` with `retryable` and `retryAfterMs`, as this protocol's clients know it."""
    claw = await guests.openclaw(strict)

    good, refused = await until_refused(
        lambda _: claw.answer("chat.history", {"sessionKey": "main"}), lambda a: not a["ok"]
    )

    error = refused["error"]
    assert (error["code"], error["retryable"]) == ("UNAVAILABLE", True)
    assert 0 < error["retryAfterMs"] <= 50_000
    assert good == BURST
    # Opening the socket, and `connect`, counted for the address; the rest for the operator.


async def test_car_answers_with_an_error_object(strict: Daemon, guests: Guests) -> None:
    """CAR's number for all that is refused, and in `data` when to come back."""
    car = await guests.car_agent(strict, "ann", await strict.agent_token("ann"))

    good, refused = await until_refused(
        lambda n: car.answer("runs.start", {"intent": f"{n}"}), lambda a: "error" in a
    )

    assert refused["error"]["code"] == -32603
    assert refused["error"]["data"]["code"] == "rate_limited"
    assert 0 < refused["error"]["data"]["retry_after_ms"] <= 50_000
    assert good == BURST == await stored(guests, strict, "run.started")


async def test_x0x_socket_answers_with_its_error_frame(strict: Daemon, guests: Guests) -> None:
    """Its frames have no ids: the text says what to do."""
    socket = await guests.x0x_socket(strict, token=await strict.agent_token("ann"))

    async def ping(_number: int) -> Any:
        await socket.send({"type": "ping"})
        return await socket.receive()

    good, refused = await until_refused(ping, lambda frame: frame["type"] == "error")

    assert refused["message"].startswith("too many requests; try again in ")
    assert good == BURST - 1


async def test_guessing_tokens_is_measured_by_address(strict: Daemon, guests: Guests) -> None:
    """Wrong tokens soon get 429 instead of 401; whoever has a good one does not notice."""
    token = await strict.agent_token("ann")
    guesser = await guests.hubbub(strict, "0" * 64)

    answers = [(await guesser.get("/events")).status for _ in range(BURST + 1)]

    assert answers == [401] * BURST + [429]
    rpc: RpcSocket = await guests.rpc(strict, token)
    assert (await rpc.call("system.ping"))["position"]


async def test_unfinished_handshakes_are_measured_by_address(
    strict: Daemon, guests: Guests
) -> None:
    """A socket that tries one token after the other is refused like any other caller."""
    del guests
    url = strict.ws_url("car")
    async with await FrameSocket.open(url) as socket:
        seen = []
        for number in range(BURST):
            params = {"token": f"{number}" * 8}
            await socket.send(
                {"jsonrpc": "2.0", "id": number, "method": "session.auth", "params": params}
            )
            seen.append((await socket.receive())["error"]["data"]["code"])

    assert seen == ["unauthorized"] * (BURST - 1) + ["rate_limited"]


async def test_listener_has_a_rate_of_its_own(start_daemon: StartDaemon, guests: Guests) -> None:
    """What all callers together send to one listener leaves the other listeners alone."""
    daemon = await start_daemon(
        "[limits]\nlistener_messages_per_s = 0.02\nlistener_messages_burst = 3\n"
    )
    x0x = await guests.x0x(daemon)

    statuses = [(await x0x.get("/status")).status for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert (await (await guests.crosslink(daemon)).request("GET", "/api/v1/issues")).status == 200


async def test_bytes_have_a_rate_too(start_daemon: StartDaemon, guests: Guests) -> None:
    """A second large message comes too soon, a small one of another caller does not."""
    daemon = await start_daemon("[limits]\nbytes_per_s = 1000\nbytes_burst = 20000\n")
    rpc = await guests.rpc(daemon, await daemon.agent_token("ann"))
    await rpc.call("topics.publish", {"topic": "t", "data": "x" * 15_000})

    error = await rpc.fail("topics.publish", {"topic": "t", "data": "y" * 15_000})

    assert error["data"]["code"] == "rate_limited"
    assert error["data"]["retry_after_ms"] > 1000
    assert await stored(guests, daemon, "message") == 1


async def test_openclaw_connect_itself_may_come_too_soon(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """The first frame is answered like any other; the client may connect a moment later."""
    del guests
    daemon = await start_daemon("[limits]\nmessages_per_s = 0.5\nmessages_burst = 1\n")
    async with await FrameSocket.open(daemon.ws_url("openclaw")) as socket:
        assert (await socket.receive())["event"] == "connect.challenge"
        params = connect_params(daemon.token)
        connect = {"type": "req", "id": "1", "method": "connect", "params": params}
        await socket.send(connect)

        refused = await socket.receive()

        assert (refused["ok"], refused["error"]["retryable"]) == (False, True)
        seconds = refused["error"]["retryAfterMs"] / 1000
        assert 0 < seconds <= 2
        answer = refused
        for number in range(2, 9):
            if not answer["ok"]:
                await socket.send({**connect, "id": f"{number}"})
                answer = await socket.receive()
        assert answer["ok"] is True, "who goes on trying gets in when the time has come"
