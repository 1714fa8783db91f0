"""The page's frame: how one comes in, the connection, keys, colours, width."""

import pytest
from playwright.async_api import Browser

from tests.browser.visitor import Visitor, visiting
from tests.daemon import Daemon


VIEWS = ("now", "runs", "chat", "work", "topics", "health")


async def test_link_opens_the_room_and_leaves_the_address(visitor: Visitor) -> None:
    """The ticket is gone from the address at once; a reload needs no new link."""
    await visitor.open()
    assert "ticket" not in visitor.page.url

    await visitor.page.reload()
    await visitor.is_live()


async def test_page_without_a_link_says_what_to_do(visitor: Visitor) -> None:
    """Who comes without a ticket is told the command that makes one."""
    await visitor.page.goto(visitor.daemon.url("hubbub", "/"))
    await visitor.page.get_by_text("hubbub open", exact=True).wait_for()


async def test_keys_open_views_and_the_sheet(visitor: Visitor) -> None:
    """Digits go through the views; the question mark lists the keys."""
    await visitor.open()
    for number, view in enumerate(VIEWS, start=1):
        await visitor.page.keyboard.press(str(number))
        await visitor.page.wait_for_selector(f'main[data-view="{view}"]')
    await visitor.page.keyboard.press("?")
    sheet = visitor.page.get_by_role("dialog", name="Keys")
    await sheet.wait_for()
    await visitor.page.keyboard.press("Escape")
    await sheet.wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_view_fits_a_phone(browser: Browser, daemon: Daemon, scheme: str) -> None:
    """At 360 pixels nothing is wider than the window, in an empty room."""
    async with visiting(browser, daemon, width=360, height=740, scheme=scheme) as visitor:
        await visitor.open()
        for view in VIEWS:
            await visitor.see(view)
            assert await visitor.overflow() <= 0, view
