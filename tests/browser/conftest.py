"""Chromium at the page of a real daemon; without Chromium these tests are skipped, and say so."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.browser.visitor import CHROMIUM, NO_CHROMIUM, WAIT_MS, Visitor, chromium, visiting
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.daemon import Daemon


@pytest.fixture(autouse=True)
def patience() -> None:
    """Wait as long for what is seen as for everything else."""
    expect.set_options(timeout=WAIT_MS)


@pytest.fixture
async def rpc(daemon: Daemon, guests: Guests) -> RpcSocket:
    """Give the operator's connection."""
    return await guests.rpc(daemon)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give a browser."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    async with chromium() as started:
        yield started


@pytest.fixture
async def visitor(browser: Browser, daemon: Daemon) -> AsyncIterator[Visitor]:
    """Give somebody at the page of a daemon with default settings; it is not open yet."""
    async with visiting(browser, daemon) as one:
        yield one
