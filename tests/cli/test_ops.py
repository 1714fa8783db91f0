"""What needs no token on hubbub's own listener, and what `/rpc` says of the daemon."""

import json
import resource
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from hubbub import __version__
from tests.cli.commands import hubbub as run
from tests.clients.waiting import eventually
from tests.daemon import Daemon


class Visitor:
    """Somebody without a token."""

    def __init__(self, daemon: Daemon, http: aiohttp.ClientSession) -> None:
        self._daemon = daemon
        self._http = http

    async def get(self, path: str, **headers: str) -> tuple[int, str, Any]:
        """Get a page: status, text, headers."""
        url = self._daemon.url("hubbub", path)
        async with self._http.get(url, headers=headers) as answer:
            return answer.status, await answer.text(), answer.headers


@pytest.fixture
async def visitor(daemon: Daemon) -> AsyncIterator[Visitor]:
    """Give somebody who visits the daemon."""
    async with aiohttp.ClientSession() as http:
        yield Visitor(daemon, http)


async def test_health_and_readiness_of_a_well_daemon(visitor: Visitor) -> None:
    """Both 200, in a shape that monitors can read."""
    status, text, _ = await visitor.get("/healthz")
    assert (status, json.loads(text)) == (200, {"status": "ok", "version": __version__})

    status, text, _ = await visitor.get("/readyz")
    assert (status, json.loads(text)) == (200, {"status": "ready"})


async def test_foreign_host_and_origin_see_nothing(visitor: Visitor) -> None:
    """Open to everyone on this machine is not open to every web page."""
    assert (await visitor.get("/metrics", Host="evil.example"))[0] == 403
    assert (await visitor.get("/", Origin="http://evil.example"))[0] == 403


async def test_metrics_count_what_happens(daemon: Daemon, visitor: Visitor) -> None:
    """The figures move with the daemon's work, in Prometheus' text format."""
    await run(daemon, "publish", "t", "1")
    await visitor.get("/healthz")
    status, text, headers = await visitor.get("/metrics")
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert float(figures["hubbub_journal_seq"]) >= 1
    assert float(figures["hubbub_units"]) >= float(figures["hubbub_commits"]) >= 1
    assert figures["hubbub_store_healthy"] == "1.0"
    assert figures["hubbub_lagging"] == "0.0"
    assert 'hubbub_http_requests_total{listener="hubbub",status="200"}' in figures


async def test_description_has_every_method_with_its_schemas(
    daemon: Daemon, visitor: Visitor
) -> None:
    """OpenRPC, made from the method table: every reference in it leads somewhere."""
    status, text, _ = await visitor.get("/openrpc.json")
    found = json.loads(text)

    assert status == 200
    assert found["openrpc"] == "1.3.2"
    assert found["servers"][0]["url"] == daemon.url("hubbub", "/rpc")
    methods = {method["name"]: method for method in found["methods"]}
    publish = methods["topics.publish"]
    assert [(p["name"], p["required"]) for p in publish["params"]] == [
        ("topic", True),
        ("data", True),
        ("kind", False),
        ("idempotency_key", False),
        ("cause", False),
    ]
    assert publish["params"][0]["schema"] == {"type": "string"}
    assert publish["result"]["schema"] == {"$ref": "#/components/schemas/PublishedAt"}
    for reference in references(found):
        assert reference.removeprefix("#/components/schemas/") in found["components"]["schemas"]


def references(value: Any) -> list[str]:
    """Find every reference in a document."""
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    here = [value["$ref"]] if "$ref" in value else []
    return here + [found for item in value.values() for found in references(item)]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process: Linux only")
async def test_daemon_says_that_it_cannot_write_and_recovers_by_itself(
    daemon: Daemon, visitor: Visitor
) -> None:
    """A full disk: writes are refused, reads go on, /readyz says why; then all is well again."""
    await run(daemon, "publish", "t", "1")
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (1, limits[1]))

    refused = await run(daemon, "publish", "t", "2")
    status, text, _ = await visitor.get("/readyz")
    read = await run(daemon, "tail", "t", "--all", "--count", "1", "--json")

    assert refused.code == 1
    assert "the store cannot write now" in refused.err
    assert status == 503
    assert "the store cannot write now" in json.loads(text)["reasons"][0]
    assert (await visitor.get("/healthz"))[0] == 200
    assert read.json["data"] == 1

    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, limits)

    async def ready() -> bool:
        return (await visitor.get("/readyz"))[0] == 200

    await eventually(ready, what="readiness")
    again = await run(daemon, "publish", "t", "2")
    assert again.code == 0


async def test_agent_cannot_make_tokens(daemon: Daemon) -> None:
    """Only an administrator can; an agent may still ask how the daemon is."""
    token = await daemon.agent_token("ann")

    made = await call(daemon, token, "tokens.create", {"agent": "bo"})
    status = await call(daemon, token, "system.status", {})

    assert made["error"]["data"]["code"] == "forbidden"
    assert status["result"]["ready"] is True


async def call(daemon: Daemon, token: str, method: str, params: object) -> Any:
    """Make one call by POST."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        http.post(daemon.url("hubbub", "/rpc"), json=body) as answer,
    ):
        return await answer.json()


async def test_event_stream_shows_that_it_lives(start_daemon: Any) -> None:
    """Comment lines come without anything happening, as often as the setting says."""
    daemon = await start_daemon("[dialects.hubbub]\nkeepalive_s = 0.05\n")
    url = daemon.url("hubbub", f"/events?token={daemon.token}")
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        alive = 0
        async for line in answer.content:
            alive += line == b": alive\n"
            if alive == 3:
                break

    assert alive == 3


async def test_page_of_an_allowed_origin_may_call(start_daemon: Any) -> None:
    """Its preflight and its calls are answered with the headers that browsers ask for."""
    origin = "https://tools.example"
    daemon = await start_daemon(f'[listen]\norigins = ["{origin}"]\n')
    url = daemon.url("hubbub", "/rpc")
    headers = {"Origin": origin, "Authorization": f"Bearer {daemon.token}"}
    ping = {"jsonrpc": "2.0", "id": 1, "method": "system.ping"}
    async with aiohttp.ClientSession() as http:
        async with http.options(url, headers={"Origin": origin}) as preflight:
            assert preflight.status == 204
            assert preflight.headers["Access-Control-Allow-Origin"] == origin
            assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        async with http.post(url, json=ping, headers=headers) as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == origin


async def test_limits_of_the_door_are_settings(start_daemon: Any) -> None:
    """Each is refused beyond its value, with the value in the text."""
    daemon = await start_daemon("[dialects.hubbub]\nmax_read_events = 2\nmax_body_bytes = 300\n")

    read = await call(daemon, daemon.token, "journal.read", {"limit": 3})
    large = await call(daemon, daemon.token, "topics.publish", {"topic": "t", "data": "x" * 300})

    assert read["error"]["message"] == "limit must be from 1 to 2"
    assert large["error"]["code"] == "too_large"
    assert "300 bytes" in large["error"]["message"]
