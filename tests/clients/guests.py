"""Every client that a test opened, closed together at its end."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from tests.clients.car import CarSocket
from tests.clients.crosslink import CrosslinkClient, CrosslinkSocket
from tests.clients.openclaw import OpenclawSocket
from tests.clients.rpc import HubbubClient, RpcSocket
from tests.clients.x0x import X0xClient, X0xSocket
from tests.daemon import Daemon


class Guests:
    """Opens clients through any door and closes whatever is still open at the end."""

    def __init__(self) -> None:
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def x0x(self, daemon: Daemon, token: str | None = None) -> X0xClient:
        """Open an x0x REST client."""
        return await self._open.enter_async_context(X0xClient(daemon, token))

    async def x0x_socket(
        self, daemon: Daemon, path: str = "/ws", *, token: str | None = None, query: bool = False
    ) -> X0xSocket:
        """Open an x0x socket that has been greeted."""
        socket = await X0xSocket.connect(daemon, path, token=token, query=query)
        return await self._open.enter_async_context(socket)

    async def crosslink(self, daemon: Daemon, token: str | None = None) -> CrosslinkClient:
        """Open a crosslink REST client."""
        return await self._open.enter_async_context(CrosslinkClient(daemon, token))

    async def crosslink_socket(self, daemon: Daemon, *channels: str) -> CrosslinkSocket:
        """Open a crosslink event socket."""
        socket = await CrosslinkSocket.connect(daemon, *channels)
        return await self._open.enter_async_context(socket)

    async def car(self, daemon: Daemon, *, auth: bool = True) -> CarSocket:
        """Open an unbound CAR connection."""
        socket = await CarSocket.connect(daemon, auth=auth)
        return await self._open.enter_async_context(socket)

    async def car_host(self, daemon: Daemon) -> CarSocket:
        """Open a CAR connection in the host role."""
        return await self._open.enter_async_context(await CarSocket.connect_host(daemon))

    async def car_agent(self, daemon: Daemon, agent: str, token: str) -> CarSocket:
        """Open a CAR connection bound to an agent."""
        socket = await CarSocket.connect_agent(daemon, agent, token)
        return await self._open.enter_async_context(socket)

    async def openclaw(self, daemon: Daemon, **changes: object) -> OpenclawSocket:
        """Open an OpenClaw connection past its handshake."""
        socket = await OpenclawSocket.connect(daemon, **changes)
        return await self._open.enter_async_context(socket)

    async def rpc(self, daemon: Daemon, token: str | None = None) -> RpcSocket:
        """Open a connection to hubbub's own door."""
        return await self._open.enter_async_context(await RpcSocket.connect(daemon, token))

    async def hubbub(self, daemon: Daemon, token: str | None = None) -> HubbubClient:
        """Open an HTTP client towards hubbub's own listener."""
        return await self._open.enter_async_context(HubbubClient(daemon, token))
