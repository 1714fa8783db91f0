"""Server-sent events for plain `EventSource` clients, across a SIGKILL of the daemon.

Two clients: one written here by the standard's rules, and node's own, which like a browser can
carry its token only in the address.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clients import clean_environment
from tests.acceptance.event_source import EventSource
from tests.clients.http import HttpClient
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import PATIENCE_S
from tests.clients.x0x import b64, unb64
from tests.conftest import StartDaemon
from tests.daemon import Daemon


pytestmark = pytest.mark.acceptance


@pytest.fixture
async def settled_daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon whose addresses stay the same over restarts, as those of a real one do."""
    arguments = []
    for door in ("hubbub", "x0x"):
        arguments += ["--listen", f"{door}=127.0.0.1:{free_port()}"]
    return await start_daemon(args=arguments)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def publish(daemon: Daemon, *numbers: int) -> None:
    """Publish numbers on the topic `counted`."""
    async with await RpcSocket.connect(daemon) as publisher:
        for number in numbers:
            await publisher.publish("counted", {"number": number})


async def x0x_subscribe(daemon: Daemon) -> None:
    """Add the topic `told` to what x0x's stream shows; like x0x, a daemon forgets it at its end."""
    async with HttpClient(daemon.url("x0x"), daemon.token) as client:
        answer = await client.post("/subscribe", {"topic": "told"})
        assert answer.status == 200


async def x0x_publish(daemon: Daemon, *texts: str) -> None:
    """Publish texts on the topic `told` through x0x."""
    async with HttpClient(daemon.url("x0x"), daemon.token) as client:
        for text in texts:
            answer = await client.post("/publish", {"topic": "told", "payload": b64(text)})
            assert answer.status == 200


async def test_stream_goes_on_after_a_crash(settled_daemon: Daemon) -> None:
    """A client that reconnects by itself gets what it missed and what is new, each once."""
    daemon = settled_daemon
    async with EventSource(daemon.url("hubbub", "/events?topics=counted"), daemon.token) as source:
        await publish(daemon, 1, 2, 3)
        before = [await source.next() for _ in range(3)]
        daemon.kill()
        await daemon.start()
        await publish(daemon, 4, 5, 6)
        after = [await source.next() for _ in range(3)]

    numbers = [json.loads(message.data)["data"]["number"] for message in before + after]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert len({message.last_event_id for message in before + after}) == 6
    assert source.connections == 2


async def test_events_of_the_absence_are_replayed(settled_daemon: Daemon) -> None:
    """What is published while the client is away comes first when it returns with its id."""
    daemon = settled_daemon
    url = daemon.url("hubbub", "/events?topics=counted")
    async with EventSource(url, daemon.token) as source:
        await publish(daemon, 1)
        first = await source.next()
    await publish(daemon, 2, 3)
    await daemon.restart()

    later = EventSource(url, daemon.token)
    later._last_event_id = first.last_event_id  # noqa: SLF001 as a browser keeps it for a tab
    async with later:
        numbers = [json.loads((await later.next()).data)["data"]["number"] for _ in range(2)]

    assert numbers == [2, 3]


async def test_x0x_stream_goes_on_after_a_crash(settled_daemon: Daemon) -> None:
    """A client of x0x's stream that subscribes again after a crash gets each message once."""
    daemon = settled_daemon
    await x0x_subscribe(daemon)
    async with EventSource(daemon.url("x0x", "/events"), daemon.token) as source:
        await x0x_publish(daemon, "one", "two")
        before = [await source.next() for _ in range(2)]
        daemon.kill()
        await daemon.start()
        await x0x_subscribe(daemon)
        await x0x_publish(daemon, "three", "four")
        after = [await source.next() for _ in range(2)]

    frames = [json.loads(message.data) for message in before + after]
    payloads = [unb64(frame["data"]["payload"]) for frame in frames]
    assert payloads == [b"one", b"two", b"three", b"four"]


class NodeSource:
    """Node's own `EventSource` in a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self, key: str) -> dict[str, Any]:
        """Return the next line that has a key."""
        assert self.process.stdout is not None
        while True:
            async with asyncio.timeout(PATIENCE_S):
                raw = await self.process.stdout.readline()
            assert raw, "node ended"
            line: dict[str, Any] = json.loads(raw)
            if key in line:
                return line


@pytest.fixture
async def node_source(
    node: Path, settled_daemon: Daemon, tmp_path: Path
) -> AsyncIterator[NodeSource]:
    """Node, following the topic `counted`, with the token in the address."""
    daemon = settled_daemon
    url = daemon.url("hubbub", f"/events?topics=counted&token={daemon.token}")
    process = await asyncio.create_subprocess_exec(
        str(node),
        "--no-warnings",
        "--experimental-eventsource",
        str(Path(__file__).parent / "drivers" / "event_source.mjs"),
        url,
        "message",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env=clean_environment(tmp_path / "node-home"),
    )
    yield NodeSource(process)
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_node_stream_goes_on_after_a_crash(
    node_source: NodeSource, settled_daemon: Daemon
) -> None:
    """Node's own EventSource, with nothing but an address, sees every event once and in order."""
    daemon = settled_daemon
    await node_source.line("open")
    await publish(daemon, 1, 2, 3)
    before = [await node_source.line("data") for _ in range(3)]
    daemon.kill()
    await daemon.start()
    await publish(daemon, 4, 5, 6)
    after = [await node_source.line("data") for _ in range(3)]

    numbers = [json.loads(line["data"])["data"]["number"] for line in before + after]
    assert numbers == [1, 2, 3, 4, 5, 6]
