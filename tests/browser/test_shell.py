"""The page's frame: how one comes in, the connection, keys, colours, width."""

import json

import pytest
from playwright.async_api import Browser, expect

from tests.browser.visitor import Visitor, visiting
from tests.clients.rpc import RpcSocket
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


async def test_link_to_look_offers_nothing_that_changes(visitor: Visitor, rpc: RpcSocket) -> None:
    """The page says that it may only read, also when reloaded; no view has its controls."""
    run = await rpc.call("runs.start", {"agent": "ann", "intent": "look"})
    issue = await rpc.call("issues.create", {"title": "Look"})
    words = {"session": "agent:main:main", "message": "hello to all", "idempotency_key": "k"}
    await rpc.call("chat.send", words)
    made = json.loads(await visitor.daemon.hubbub("open", "--json", "--read-only"))
    page = visitor.page
    await page.goto(made["link"])
    await visitor.is_live()
    await page.reload()
    await visitor.is_live()
    await expect(page.locator(".read-only")).to_be_visible()

    await visitor.see("topics")
    await expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    await expect(page.locator(".problem")).to_contain_text("may only read")
    await visitor.see("chat", "agent:main:main")
    await expect(page.locator(".chat-main").get_by_text("hello to all").first).to_be_visible()
    for hidden in (".composer", ".head-buttons", ".chat-title button"):
        await expect(page.locator(hidden)).to_be_hidden()
    await visitor.see("runs", run["run_id"])
    await expect(page.locator(".run-detail")).to_contain_text("look")
    await expect(page.get_by_role("button", name="Cancel the run")).to_have_count(0)
    await visitor.see("work", str(issue["id"]))
    await expect(page.locator(".work-detail")).to_contain_text("Look")
    for name in ("New issue", "Claim", "Comment"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await expect(page.get_by_role("button", name="Close issue")).to_be_disabled()
    await page.keyboard.press("n")
    await expect(page.locator(".notices")).to_contain_text("may only read")


async def test_link_to_work_shows_no_sign(visitor: Visitor) -> None:
    """Nor does a link with more rights."""
    for words in ((), ("--admin",)):
        made = json.loads(await visitor.daemon.hubbub("open", "--json", *words))
        await visitor.page.goto(made["link"])
        await visitor.is_live()
        await expect(visitor.page.locator(".read-only")).to_be_hidden()
