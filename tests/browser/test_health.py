"""*Health*: readiness, figures with words, slow connections, limits with their use."""

import re
import resource
import sys

import pytest
from playwright.async_api import Locator, expect

from tests.blackbox.crowd import stop_reading
from tests.browser.visitor import Visitor
from tests.clients.guests import Guests


def figure(visitor: Visitor, name: str) -> Locator:
    """Give the card of a figure."""
    title = visitor.page.get_by_role("heading", name=name, exact=True)
    return visitor.page.locator(".figure-card").filter(has=title)


async def test_figures_are_read_again_and_again(visitor: Visitor, guests: Guests) -> None:
    """What has happened meanwhile is in the next figures; each has a word on it."""
    await visitor.open("health")
    await expect(visitor.page.locator(".ready-word")).to_have_text("Ready: writes are taken")
    await expect(figure(visitor, "Events")).to_contain_text("a second")
    rpc = await guests.rpc(visitor.daemon)
    for _ in range(20):
        await rpc.publish("lobby", 1)
    await expect(visitor.page.locator(".ready")).to_contain_text("at event 20")
    await expect(figure(visitor, "Commits").locator(".chip")).to_have_text(
        re.compile("quick|slow disk")
    )
    await expect(figure(visitor, "Store")).to_contain_text("left on its disk")
    assert await figure(visitor, "Store").locator(".spark-line").get_attribute("d")


async def test_connections_listeners_and_limits_stand_in_tables(
    visitor: Visitor, guests: Guests
) -> None:
    """Who is connected, through which door; a limit that is counted has a meter."""
    rpc = await guests.rpc(visitor.daemon)
    token = (await rpc.call("tokens.create", {"agent": "cy"}))["token"]
    await guests.car_agent(visitor.daemon, "cy", token)
    await visitor.open("health")
    tables = visitor.page.locator(".health-table")
    await expect(tables.nth(0).get_by_role("row", name="cy")).to_contain_text("CAR")
    await expect(tables.nth(1).get_by_role("row", name="OpenClaw")).to_contain_text("http://")
    connections = tables.nth(2).get_by_role("row", name="limits.principal_connections")
    await expect(connections.get_by_role("meter")).to_have_attribute(
        "aria-valuenow", re.compile(r"\d+")
    )


async def test_slow_connection_is_marked(visitor: Visitor, guests: Guests) -> None:
    """Who does not read stands on top, with the word that it cannot keep up."""
    rpc, slow = await guests.rpc(visitor.daemon), await guests.rpc(visitor.daemon)
    await slow.subscribe("flood")
    await visitor.open("health")
    stop_reading(slow)
    for _ in range(40):
        await rpc.publish("flood", "x" * 500_000)
    first = visitor.page.locator(".health-table").first.locator("tbody tr").first
    await expect(first).to_have_attribute("data-tone", "warn")
    await expect(first).to_contain_text(re.compile("catches up|slow"))


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's own")
async def test_store_that_cannot_write_is_told_with_its_reason(
    visitor: Visitor, guests: Guests
) -> None:
    """In words and at once; and when the disk takes writes again, that too."""
    rpc = await guests.rpc(visitor.daemon)
    await visitor.open("health")
    limits = resource.prlimit(visitor.daemon.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(visitor.daemon.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    await rpc.fail("topics.publish", {"topic": "lobby", "data": 1})
    await expect(visitor.page.locator(".ready-word")).to_contain_text("Not ready")
    await expect(visitor.page.locator(".ready-reason")).to_contain_text("store")
    resource.prlimit(visitor.daemon.pid, resource.RLIMIT_FSIZE, limits)
    await expect(visitor.page.locator(".ready-word")).to_have_text("Ready: writes are taken")
    await expect(visitor.page.locator(".ready-reason")).to_have_count(0)
