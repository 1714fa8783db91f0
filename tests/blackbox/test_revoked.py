"""A token that was revoked lets nobody in, and what it has opened ends at once, at every door."""

import asyncio
import contextlib

from tests.clients.crosslink import CrosslinkSocket
from tests.clients.frames import FrameSocket, refusal
from tests.clients.guests import Guests
from tests.clients.http import HttpClient, SseStream
from tests.daemon import Daemon


async def sockets_of(daemon: Daemon, guests: Guests, agent: str, token: str) -> list[FrameSocket]:
    """Open a WebSocket at every door by an agent's token."""
    bearer = {"Authorization": f"Bearer {token}"}
    crosslink = await CrosslinkSocket.open(daemon.ws_url("crosslink", "/ws"), headers=bearer)
    await crosslink.settle()
    return [
        await guests.x0x_socket(daemon, token=token),
        await guests.x0x_socket(daemon, token=await short_lived(daemon, token)),
        crosslink,
        await guests.car_agent(daemon, agent, token),
        await guests.openclaw(daemon, auth={"token": token}),
        await guests.rpc(daemon, token),
    ]


async def short_lived(daemon: Daemon, token: str) -> str:
    """Get x0x's short-lived token for a durable one."""
    async with HttpClient(daemon.url("x0x"), token) as client:
        answer = await client.request("POST", "/auth/session")
        assert answer.status == 200, answer.text
        return str(answer.body["session_token"])


async def ended(stream: SseStream) -> None:
    """Read an event stream to its end."""
    with contextlib.suppress(EOFError):
        while True:
            await stream.next()


async def test_what_a_revoked_token_has_opened_is_closed(daemon: Daemon, guests: Guests) -> None:
    """Sockets with 1008, event streams by their end; another agent's connections stay."""
    token, others = await daemon.agent_token("robin"), await daemon.agent_token("wren")
    session = await short_lived(daemon, token)
    gone = await sockets_of(daemon, guests, "robin", token)
    stay = await sockets_of(daemon, guests, "wren", others)
    hubbub, x0x = HttpClient(daemon.url("hubbub"), token), HttpClient(daemon.url("x0x"), token)
    async with hubbub, x0x:
        streams = [await hubbub.events("/events?topics=quiet"), await x0x.events("/events")]

        assert await daemon.hubbub("token", "revoke", "robin") == "1 revoked\n"

        ends = await asyncio.gather(*(socket.closed() for socket in gone))
        assert ends == [(1008, "this token was revoked")] * len(gone)
        for stream in streams:
            await ended(stream)
    for socket in stay:
        await socket.settle()
    for each in (token, session):
        bearer = {"Authorization": f"Bearer {each}"}
        assert await refusal(daemon.ws_url("x0x", "/ws"), headers=bearer) == 401


async def test_who_revokes_its_own_token_is_answered_first(daemon: Daemon, guests: Guests) -> None:
    """The socket ends after that."""
    rpc = await guests.rpc(daemon, await daemon.agent_token("robin", "admin"))

    assert await rpc.call("tokens.revoke", {"token": "robin"}) == {"revoked": 1}

    assert await rpc.closed() == (1008, "this token was revoked")
