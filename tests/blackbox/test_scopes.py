"""The table of scopes: every call of every door has a row, and every row is what a caller meets."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.app import Daemon as InProcess
from hubbub.config import Listen, Settings
from hubbub.core.values import Principal
from hubbub.dialects.scopes import SCOPES, check, complete, lacks
from hubbub.dialects.x0x.frames import COMMANDS
from hubbub.errors import Forbidden
from tests.clients.frames import refusal
from tests.clients.guests import Guests
from tests.clients.http import Answer, HttpClient
from tests.daemon import Daemon


DOORS = tuple(SCOPES)
HTTP = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (.*)")
OUTSIDE = {
    "x0x": {f"ws {command}" for command in COMMANDS},
    "car": {"session.auth", "agent.chat.event"},
    "openclaw": {"connect"},
}
"""Calls that no route, socket or method table lists: their doors' sessions know them."""
ORDER = ("read", "write", "admin")
ENDS_THE_DAEMON = "POST /shutdown"


async def test_table_has_a_row_for_every_call_and_no_other(tmp_path: Path) -> None:
    """Routes, sockets and methods as a daemon registers them; neither side knows more."""
    addresses = dict.fromkeys(DOORS, "127.0.0.1:0")
    listen = msgspec.convert(addresses, Listen)
    settings = Settings(data_dir=tmp_path / "data", ephemeral=True, listen=listen)
    daemon = InProcess(settings)
    await daemon.open()
    try:
        registered = {
            name: {route.call for route in dialect.routes}
            | {socket.call for socket in dialect.sockets}
            | set(getattr(dialect, "methods", ()))
            | OUTSIDE.get(name, set())
            for name, dialect in daemon.dialects.items()
        }
    finally:
        await daemon.close()

    assert registered == {name: set(rows) for name, rows in SCOPES.items()}


def test_call_without_a_row_is_nobodys() -> None:
    """Not even the operator's: it is refused, and a daemon that registers it does not start."""
    admin = Principal(name="operator", kind="operator", scopes=frozenset(("admin",)))

    with pytest.raises(Forbidden, match="has no row in the table of scopes"):
        check(SCOPES["hubbub"], "no.such.call", admin)
    assert lacks(SCOPES["car"], "no.such.call", admin)
    assert not lacks(SCOPES["car"], "agent.chat.event", admin)
    with pytest.raises(LookupError, match=r"no\.such\.call"):
        complete(SCOPES["hubbub"], ("no.such.call",))


async def tokens(daemon: Daemon) -> dict[str, str]:
    """Make one token for each scope."""
    made = {}
    for scope in ORDER:
        name = f"{scope}er"
        text = await daemon.hubbub("token", "new", "--agent", name, "--scope", scope)
        made[scope] = text.strip()
    return made


def too_little(scope: str | None) -> list[str]:
    """Name the scopes that are not enough for a row."""
    return list(ORDER[: ORDER.index(scope)]) if scope is not None else []


def is_forbidden_in_shape(door: str, answer: Answer) -> bool:
    """Tell a refusal for a lack of scope, in that door's own shape."""
    if answer.status != 403:
        return False
    body = answer.body
    text = {
        "hubbub": lambda: body["error"]["message"],
        "x0x": lambda: body["error"],
        "crosslink": lambda: body["detail"],
    }[door]()
    return "lacks the scope" in str(text)


def rows(door: str, *, http: bool) -> list[tuple[str, str | None]]:
    """Give the rows of a door that are HTTP routes, or those that are methods."""
    return [
        (call, scope)
        for call, scope in SCOPES[door].items()
        if bool(HTTP.fullmatch(call)) == http and not call.startswith(("WS", "ws "))
    ]


@pytest.mark.parametrize("door", ["hubbub", "x0x", "crosslink"])
async def test_routes_ask_for_their_scope(room: Daemon, door: str) -> None:
    """Less than the row says is 403 in the door's shape; as much is never refused for that."""
    have = await tokens(room)
    for call, scope in rows(door, http=True):
        found = HTTP.fullmatch(call)
        assert found is not None
        path = re.sub(r"\{[^}]*\}", "1", found[2])
        for mine in ORDER:
            if mine not in too_little(scope) and (call == ENDS_THE_DAEMON or "events" in path):
                continue  # the daemon would stop, a stream would never end
            async with HttpClient(room.url(door), have[mine]) as client:
                answer = await client.request(found[1], path, {})
            forbidden = is_forbidden_in_shape(door, answer)
            assert forbidden == (mine in too_little(scope)), (call, mine, answer)


async def test_methods_of_rpc_ask_for_their_scope(room: Daemon, guests: Guests) -> None:
    """The code is `forbidden`, and the text names the scope that is missing."""
    have = await tokens(room)
    for mine in ORDER:
        rpc = await guests.rpc(room, have[mine])
        for call, scope in rows("hubbub", http=False):
            answer = await rpc.answer(call, {"no_such_parameter": 1})
            code = answer.get("error", {}).get("data", {}).get("code")
            assert (code == "forbidden") == (mine in too_little(scope)), (call, mine, answer)


async def test_methods_of_car_ask_for_their_scope(room: Daemon, guests: Guests) -> None:
    """CAR's number for what is refused, with our code beside it."""
    have = await tokens(room)
    for mine in ORDER:
        car = await guests.car_agent(room, f"{mine}er", have[mine])
        for call, scope in rows("car", http=False):
            if call in OUTSIDE["car"]:
                continue
            answer = await car.answer(call, {})
            code = answer.get("error", {}).get("data", {}).get("code")
            assert (code == "forbidden") == (mine in too_little(scope)), (call, mine, answer)


async def test_methods_of_openclaw_ask_for_their_scope(room: Daemon, guests: Guests) -> None:
    """`missing scope: operator.…`, as that gateway's clients know it."""
    have = await tokens(room)
    for mine in ORDER:
        claw = await guests.openclaw(room, auth={"token": have[mine]})
        for call, scope in rows("openclaw", http=False):
            if call in OUTSIDE["openclaw"]:
                continue
            answer = await claw.answer(call, {"noSuchParameter": 1})
            text = str(answer.get("error", {}).get("message"))
            forbidden = text.startswith("missing scope: operator.")
            assert forbidden == (mine in too_little(scope)), (call, mine, answer)


FRAMES: dict[str, dict[str, Any]] = {
    "publish": {"topic": "t", "payload": ""},
    "subscribe": {"topics": ["t"]},
    "unsubscribe": {"topics": ["t"]},
    "send_direct": {"agent_id": "0" * 64, "payload": ""},
    "ping": {},
}


async def test_commands_of_x0x_ask_for_their_scope(room: Daemon, guests: Guests) -> None:
    """An `error` frame, and nothing is published."""
    have = await tokens(room)
    for mine in ORDER:
        socket = await guests.x0x_socket(room, token=have[mine])
        for command in COMMANDS:
            await socket.send({"type": command, **FRAMES[command]})
            await socket.send({"type": "ping"})
            frame = await socket.receive()
            forbidden = "lacks the scope" in frame.get("message", "")
            lacking = mine in too_little(SCOPES["x0x"][f"ws {command}"])
            assert forbidden == lacking, (command, mine, frame)
            if frame["type"] != "pong" or command == "ping":
                await socket.expect(lambda frame: frame["type"] == "pong")


@pytest.mark.parametrize(
    ("door", "path"),
    [("hubbub", "/rpc"), ("x0x", "/ws"), ("x0x", "/ws/direct"), ("crosslink", "/ws")],
)
async def test_sockets_need_a_token_that_may_read(room: Daemon, door: str, path: str) -> None:
    """Every scope includes that; a token that is not known does not."""
    have = await tokens(room)
    for token in have.values():
        headers = {"Authorization": f"Bearer {token}"}
        assert await refusal(room.ws_url(door, path), headers=headers) == 101
    headers = {"Authorization": f"Bearer {'0' * 64}"}
    assert await refusal(room.ws_url(door, path), headers=headers) == 401
