"""The way to a door can be cut, held up, and made a black hole."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hubbub.prove.proxy import Proxy


class Echo:
    """A server that sends back what it gets."""

    def __init__(self) -> None:
        self.server: asyncio.Server | None = None
        self.got = b""

    async def open(self) -> None:
        """Listen."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def address(self) -> tuple[str, int] | None:
        """Say where; ``None`` when it has been closed."""
        if self.server is None or not self.server.is_serving():
            return None
        host, port = self.server.sockets[0].getsockname()
        return host, port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            self.got += data
            writer.write(data)
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """Run the server."""
    echo = Echo()
    await echo.open()
    yield echo
    assert echo.server is not None
    echo.server.close()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    """Run a proxy to it."""
    proxy = Proxy(echo.address)
    await proxy.open()
    yield proxy
    await proxy.close()


async def connect(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the proxy."""
    host, _, port = proxy.url.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_bytes_pass_both_ways(proxy: Proxy) -> None:
    """In a sound world a proxy is not there."""
    reader, writer = await connect(proxy)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()


async def test_cut_ends_what_is_open_and_lets_new_ones_in(proxy: Proxy) -> None:
    """As a reset of each connection."""
    reader, writer = await connect(proxy)
    writer.write(b"a")
    await reader.readexactly(1)
    proxy.cut()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    await test_bytes_pass_both_ways(proxy)


async def test_a_cut_of_half_leaves_the_newer_half(proxy: Proxy) -> None:
    """Those who came first lose their connection."""
    pairs = []
    for _ in range(2):
        reader, writer = await connect(proxy)
        writer.write(b"a")
        await reader.readexactly(1)
        pairs.append((reader, writer))
    proxy.cut(50)
    (cut, _), (reader, writer) = pairs
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await cut.readexactly(1)
    writer.write(b"b")
    assert await reader.readexactly(1) == b"b"
    for _, writer in pairs:
        writer.close()


async def test_stalled_bytes_come_later(proxy: Proxy, echo: Echo) -> None:
    """None is lost."""
    reader, writer = await connect(proxy)
    writer.write(b"a")
    await reader.readexactly(1)
    proxy.stall()
    writer.write(b"b")
    late = asyncio.create_task(reader.readexactly(1))
    done, _ = await asyncio.wait([late], timeout=0.1)
    assert not done
    assert echo.got == b"a"
    proxy.heal()
    assert await late == b"b"
    writer.close()


async def test_a_black_hole_takes_bytes_and_gives_none(proxy: Proxy, echo: Echo) -> None:
    """Neither side hears that they are gone."""
    reader, writer = await connect(proxy)
    writer.write(b"a")
    await reader.readexactly(1)
    proxy.swallow()
    writer.write(b"b")
    done, pending = await asyncio.wait([asyncio.create_task(reader.read(1))], timeout=0.1)
    assert not done
    proxy.cut()
    proxy.heal()
    (ended,) = await asyncio.gather(*pending, return_exceptions=True)
    assert ended == b"" or isinstance(ended, ConnectionError)
    assert echo.got == b"a"
    writer.close()


async def test_without_a_daemon_a_connection_ends(proxy: Proxy, echo: Echo) -> None:
    """After a moment, so that clients do not knock in a busy loop."""
    assert echo.server is not None
    echo.server.close()
    reader, writer = await connect(proxy)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
