"""Chromium at the page of a real daemon; without Chromium these tests are skipped, and say so."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browser.visitor import CHROMIUM, NO_CHROMIUM, Visitor, chromium, visiting
from tests.daemon import Daemon


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
