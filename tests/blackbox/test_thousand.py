"""Promise 2 for a crowd: a thousand clients live through a daemon that is killed under load."""

import asyncio
import itertools
import json
import re
import time
from typing import Any

import aiohttp
import pytest

from tests.clients.waiting import PATIENCE_S, POLL_S
from tests.daemon import Daemon


CLIENTS = 1_000
"""How many follow the topic: three quarters on `/rpc`, the rest on `/events`."""
EVENTS = 150
KILLS_AT = (40, 90)
SERVES_S = 5.0
"""Until when a daemon that was killed under this load must serve again, in seconds."""

PLACE = re.compile(r'"seq":(\d+)')
NUMBER = re.compile(r'"data":(\d+)')


class Follower:
    """A client that comes back by itself with the last position that it has seen."""

    def __init__(self, daemon: Daemon, http: aiohttp.ClientSession, epoch: str) -> None:
        self._daemon = daemon
        self._http = http
        self._epoch = epoch
        self.place = 0
        self.numbers: list[int] = []
        self.unrecovered = 0
        self.joined = asyncio.Event()

    async def follow(self) -> None:
        """Read until the last event has come, over as many connections as it takes."""
        while len(self.numbers) < EVENTS:
            try:
                await self._visit()
            except (aiohttp.ClientError, ConnectionError):
                await asyncio.sleep(POLL_S * 10)

    async def _visit(self) -> None:
        raise NotImplementedError

    def _take(self, text: str) -> None:
        place, number = PLACE.search(text), NUMBER.search(text)
        assert place is not None
        assert number is not None
        self.place = int(place[1])
        self.numbers.append(int(number[1]))


class SocketFollower(Follower):
    """One that subscribes on `/rpc` after a position."""

    async def _visit(self) -> None:
        headers = {"Authorization": f"Bearer {self._daemon.token}"}
        url = self._daemon.ws_url("hubbub", "/rpc")
        after = {"epoch": self._epoch, "seq": self.place}
        call = {"jsonrpc": "2.0", "id": 1, "method": "topics.subscribe"}
        async with self._http.ws_connect(url, headers=headers, compress=0) as socket:
            await socket.send_json({**call, "params": {"topics": ["crowd"], "after": after}})
            async for message in socket:
                text = str(message.data)
                if '"topics.event"' in text:
                    self._take(text)
                    if len(self.numbers) == EVENTS:
                        return
                elif '"recovered"' in text:
                    self.unrecovered += not json.loads(text)["result"]["recovered"]
                    self.joined.set()


class StreamFollower(Follower):
    """One that reads `/events` and sends `Last-Event-ID`."""

    async def _visit(self) -> None:
        headers = {
            "Authorization": f"Bearer {self._daemon.token}",
            "Last-Event-ID": f"{self._epoch}:{self.place}",
        }
        url = self._daemon.url("hubbub", "/events?topics=crowd")
        async with self._http.get(url, headers=headers) as answer:
            async for line in answer.content:
                text = line.decode()
                if '"recovered"' in text:
                    self.unrecovered += '"recovered":true' not in text
                    self.joined.set()
                elif text.startswith("data:"):
                    self._take(text)
                    if len(self.numbers) == EVENTS:
                        return


class Publisher:
    """Publishes numbers, each again under its key until it is acknowledged."""

    def __init__(self, daemon: Daemon, http: aiohttp.ClientSession) -> None:
        self._daemon = daemon
        self._http = http
        self.acknowledged = 0

    async def call(self, method: str, params: object) -> Any:
        """Make one call by POST."""
        headers = {"Authorization": f"Bearer {self._daemon.token}"}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        url = self._daemon.url("hubbub", "/rpc")
        async with self._http.post(url, json=body, headers=headers) as answer:
            return (await answer.json())["result"]

    async def publish_all(self) -> None:
        """Publish every number once."""
        for number in range(EVENTS):
            params = {"topic": "crowd", "data": number, "idempotency_key": f"number {number}"}
            while self.acknowledged == number:
                try:
                    await self.call("topics.publish", params)
                    self.acknowledged += 1
                except (aiohttp.ClientError, ConnectionError):
                    await asyncio.sleep(POLL_S)

    async def until(self, count: int) -> None:
        """Wait until so many are acknowledged."""
        deadline = time.monotonic() + PATIENCE_S * 2
        while self.acknowledged < count:
            assert time.monotonic() < deadline
            await asyncio.sleep(POLL_S)


@pytest.mark.timeout(300)
async def test_a_thousand_clients_resume_over_a_daemon_that_is_killed(daemon: Daemon) -> None:
    """Killed twice under load: all come back, none misses or doubles an event."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        publisher = Publisher(daemon, http)
        epoch = (await publisher.call("journal.read", {"topics": ["*"]}))["position"]["epoch"]
        kinds = itertools.cycle([SocketFollower, SocketFollower, SocketFollower, StreamFollower])
        followers = [
            kind(daemon, http, epoch) for kind, _ in zip(kinds, range(CLIENTS), strict=False)
        ]
        async with asyncio.timeout(PATIENCE_S * 12), asyncio.TaskGroup() as group:
            for follower in followers:
                group.create_task(follower.follow())
            for follower in followers:
                await follower.joined.wait()
            group.create_task(publisher.publish_all())
            for count in KILLS_AT:
                await publisher.until(count)
                daemon.kill()
                killed = time.monotonic()
                await daemon.start()
                async with asyncio.timeout(killed + SERVES_S - time.monotonic()):
                    await publisher.until(publisher.acknowledged + 1)

    assert [follower.numbers for follower in followers] == [list(range(EVENTS))] * CLIENTS
    assert sum(follower.unrecovered for follower in followers) == 0
