"""Seed 000: who gets in, how a harness finds the daemon, and how it ends."""

import pytest

from tests.clients.frames import refusal
from tests.clients.guests import Guests
from tests.daemon import Daemon


@pytest.mark.parametrize("path", ["/ws", "/ws/direct"])
async def test_ws_requires_auth(daemon: Daemon, path: str) -> None:
    """An upgrade without a token, or with a wrong one, is refused with 401 before it happens."""
    url = daemon.ws_url("x0x", path)
    assert await refusal(url) == 401
    assert await refusal(f"{url}?token={'0' * 64}") == 401
    assert await refusal(f"{url}?token=") == 401
    assert await refusal(url, headers={"Authorization": f"Bearer {'0' * 64}"}) == 401
    assert await refusal(url, headers={"Authorization": f"bearer {daemon.token}"}) == 401
    assert await refusal(url, headers={"Authorization": f"Bearer {daemon.token}"}) == 101


async def test_ws_accepts_bearer_durable_query_and_session_tokens(
    daemon: Daemon, guests: Guests
) -> None:
    """All three ways in which x0x clients carry a token into a socket open it."""
    session_token = await (await guests.x0x(daemon)).session_token()

    await guests.x0x_socket(daemon, "/ws")
    await guests.x0x_socket(daemon, "/ws", query=True)
    await guests.x0x_socket(daemon, "/ws/direct", token=session_token, query=True)
    await guests.x0x_socket(daemon, "/ws", token=session_token)


async def test_session_token_mints_no_session(daemon: Daemon, guests: Guests) -> None:
    """A session token is a bearer for everything but making another; that needs the durable one."""
    minted = await (await guests.x0x(daemon)).post("/auth/session")
    assert minted.body["expires_in"] == 600
    assert len(bytes.fromhex(minted.body["session_token"])) == 32
    browser = await guests.x0x(daemon, minted.body["session_token"])

    assert (await browser.get("/agent")).status == 200
    refused = await browser.post("/auth/session")
    assert refused.status == 403
    assert refused.body == {"error": "durable API token required to mint a session"}


@pytest.mark.parametrize("path", ["/agent", "/ws/sessions", "/diagnostics/ws", "/no/such/path"])
async def test_rest_requires_auth(daemon: Daemon, guests: Guests, path: str) -> None:
    """Without a bearer every path but `/health` is 401, a query token helps on no REST path."""
    stranger = await guests.x0x(daemon, "wrong")
    for asked in (path, f"{path}?token={daemon.token}"):
        answer = await stranger.get(asked)
        assert answer.status == 401
        assert answer.body == {"error": "missing or invalid Authorization: Bearer token"}
    assert (await stranger.get("/health")).body["ok"] is True


async def test_harness_finds_the_daemon_by_its_files(daemon: Daemon, guests: Guests) -> None:
    """`api.port` holds host and port, `api-token` 64 hex characters readable by the owner only."""
    host, port = daemon.address("x0x")
    assert (daemon.data_dir / "api.port").read_text().strip() == f"{host}:{port}"
    token_file = daemon.data_dir / "api-token"
    assert len(bytes.fromhex(token_file.read_text().strip())) == 32
    assert token_file.stat().st_mode & 0o777 == 0o600
    health = await (await guests.x0x(daemon, "no-token-needed")).get("/health")
    assert (health.status, '"ok":true' in health.text) == (200, True)


async def test_shutdown_answers_then_ends_sockets_and_process(
    daemon: Daemon, guests: Guests
) -> None:
    """`/shutdown` is answered in full, open streams end, the code is 0, only `api.port` goes."""
    client = await guests.x0x(daemon)
    socket = await guests.x0x_socket(daemon)
    stream = await client.subscribed_events("any")

    answer = await client.post("/shutdown")

    assert answer.body == {"ok": True, "message": "shutting down"}
    code, _ = await socket.closed()
    assert code != 1006
    with pytest.raises(EOFError):
        await stream.next()
    await daemon.wait_for_end(expected_code=0)
    assert not (daemon.data_dir / "api.port").exists()
    assert (daemon.data_dir / "api-token").exists()
