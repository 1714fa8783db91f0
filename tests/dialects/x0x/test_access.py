"""Tokens where browsers carry them, foreign pages, unknown paths."""

import pytest

from hubbub.dialects.x0x import X0xSettings
from tests.clients.frames import refusal
from tests.clients.http import HttpClient
from tests.dialects.x0x.conftest import OpenRoom, Room


STREAMS = ("/events", "/direct/events", "/presence/events")


async def status_of(room: Room, path: str, token: str) -> int:
    """Open a stream with a query token and look at the status."""
    async with HttpClient(room.url("x0x")) as stranger:
        return (await stranger.events(f"{path}?token={token}")).status


@pytest.mark.parametrize("path", STREAMS)
async def test_streams_take_query_tokens(room: Room, path: str) -> None:
    """A browser's `EventSource` cannot send headers: the durable and a session token will do."""
    session_token = await (await room.client()).session_token()
    assert await status_of(room, path, room.token) == 200
    assert await status_of(room, path, session_token) == 200
    assert await status_of(room, path, "0" * 64) == 401


async def test_durable_query_token_can_be_switched_off(open_room: OpenRoom) -> None:
    """With `query_takes_durable_token = false` only session tokens open streams and sockets."""
    room = await open_room(X0xSettings(query_takes_durable_token=False))
    session_token = await (await room.client()).session_token()
    assert await status_of(room, "/events", room.token) == 401
    assert await status_of(room, "/events", session_token) == 200
    assert await refusal(room.ws_url("x0x", f"/ws?token={room.token}")) == 401
    assert await refusal(room.ws_url("x0x", f"/ws?token={session_token}")) == 101


@pytest.mark.parametrize(
    ("origin", "status", "allowed"),
    [
        ("http://127.0.0.1:3000", 200, True),
        ("https://[::1]", 200, True),
        ("http://localhost:3000", 403, False),
        ("http://127.0.0.1.evil.example", 403, False),
        ("https://evil.example", 403, False),
    ],
)
async def test_only_pages_of_loopback_addresses_get_in(
    room: Room, origin: str, status: int, *, allowed: bool
) -> None:
    """Their origin is echoed; any other is refused before anything is done."""
    client = await room.client()
    answer = await client.get("/health", headers={"Origin": origin})
    assert answer.status == status
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    if not allowed:
        assert answer.body["ok"] is False


async def test_preflight_needs_no_token(room: Room) -> None:
    """A browser asks without credentials; it may send our headers and any method."""
    async with HttpClient(room.url("x0x")) as browser:
        answer = await browser.request(
            "OPTIONS", "/publish", headers={"Origin": "http://127.0.0.1:3000"}
        )
    assert answer.status == 204
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


async def test_unknown_paths_and_methods(room: Room) -> None:
    """404 has an empty body, 405 names what the path takes."""
    client = await room.client()
    missing, wrong = await client.get("/no/such/path"), await client.get("/publish")
    assert (missing.status, missing.text) == (404, "")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "POST")


async def test_agents_token_may_not_stop_the_daemon(room: Room) -> None:
    """Shutting down is the operator's; an agent with its own token is refused."""
    agent = await room.client(await room.agent_token("alice"))
    assert (await agent.post("/shutdown")).status == 403
    assert (await agent.get("/health")).status == 200
