"""The view Work: a board, a graph and leases, and what a person does with issues."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, expect

from tests.browser.visitor import Visitor, visiting
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.daemon import Daemon


async def issue(rpc: RpcSocket, title: str, *blockers: int, **more: Any) -> int:
    """Open an issue; gives its number."""
    number: int = (await rpc.call("issues.create", {"title": title, **more}))["id"]
    for blocker in blockers:
        await rpc.call("issues.block", {"id": number, "blocker_id": blocker})
    return number


def card(visitor: Visitor, number: int) -> Any:
    """Find an issue's card."""
    return visitor.page.locator(f'.work-board [data-row="issue:{number}"]')


async def state_of(visitor: Visitor, number: int, state: str) -> None:
    """Wait until a card stands in a column."""
    column = visitor.page.locator(f'[data-column="{state}"] [data-row="issue:{number}"]')
    await expect(column).to_be_visible()
    await expect(column).to_have_attribute("data-state", state)


async def test_new_user_claims_an_issue_and_finds_it_in_tail(visitor: Visitor) -> None:
    """Open, name, claim: three keys and a title; `hubbub tail` tells the same."""
    page = visitor.page
    await visitor.open("work")
    await page.keyboard.press("n")
    await page.keyboard.type("Water the plants")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Water the plants")).to_be_visible()
    await page.get_by_role("button", name="Claim", exact=True).click()

    await expect(page.locator(".work-lock")).to_contain_text("Yours:")
    await state_of(visitor, 1, "working")
    told = await visitor.daemon.hubbub("tail", "locks/*", "--all", "--count", "1", "--json")
    event = json.loads(told.splitlines()[0])
    assert event["kind"] == "lock.claimed"
    assert event["data"]["agent"] == "operator"
    shown = await page.locator('.work-lock [data-field="fence"]').inner_text()
    assert int(shown) == event["data"]["fence"]


async def test_board_follows_what_agents_do(visitor: Visitor, rpc: RpcSocket) -> None:
    """Ready, blocked, in work, closed; each card says what stands in the way and who holds it."""
    await visitor.open("work")
    first = await issue(rpc, "First")
    second = await issue(rpc, "Second", first, priority="critical")
    await rpc.call("issues.label", {"id": second, "label": "urgent"})
    await state_of(visitor, first, "ready")
    await state_of(visitor, second, "blocked")
    await expect(card(visitor, second).locator('[data-field="blockers"]')).to_have_text("#1")
    await expect(card(visitor, second).locator('[data-field="labels"]')).to_contain_text("urgent")

    await rpc.call("locks.claim", {"issue_id": first, "agent": "ada"})
    await state_of(visitor, first, "working")
    await expect(card(visitor, first).locator('[data-field="holder"]')).to_have_text("ada")

    await rpc.call("issues.close", {"id": first})
    await state_of(visitor, first, "closed")
    await state_of(visitor, second, "ready")
    await rpc.call("issues.delete", {"id": second})
    await expect(card(visitor, second)).to_have_count(0)


async def test_write_under_a_lock_that_was_stolen_is_refused_and_explained(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """The page presents the fence of its claim; the person takes the lock back, and may go on."""
    page = visitor.page
    number = await issue(rpc, "Fragile")
    await visitor.open("work", str(number))
    await page.get_by_role("button", name="Claim", exact=True).click()
    await expect(page.locator(".work-lock")).to_contain_text("Yours:")
    thief = {"issue_id": number, "agent": "bo", "reason": "you sleep"}
    await rpc.call("locks.steal", thief)
    await expect(page.locator(".work-ended")).to_contain_text("fence 1 is stale; bo holds the lock")

    await page.locator("#work-comment").fill("Too late")
    await page.get_by_role("button", name="Comment", exact=True).click()
    await expect(page.locator(".notices")).to_contain_text("fence 1 of issue 1 is stale")
    assert (await rpc.call("issues.get", {"id": number}))["comments"] == []

    await page.get_by_role("button", name="Take it back…").click()
    dialog = page.get_by_role("dialog", name="Take the lock of #1 from bo?")
    await expect(dialog).to_contain_text("Fence 2 ends at once")
    await dialog.get_by_label("Reason, for the journal").fill("I am awake")
    await dialog.get_by_role("button", name="Take it as operator").click()
    await expect(page.locator(".work-lock")).to_contain_text("Yours:")
    await page.get_by_role("button", name="Comment", exact=True).click()
    await expect(page.locator(".work-comments")).to_contain_text("Too late")
    lock = (await rpc.call("locks.list"))["locks"][0]
    assert (lock["holder"], lock["fence"]) == ("operator", 3)


async def test_person_claims_under_a_name_that_is_remembered(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """The name is the holder's; it stays over a reload, and the claim is still one's own."""
    page = visitor.page
    number = await issue(rpc, "Named")
    await visitor.open("work", str(number))
    await page.get_by_label("as", exact=True).fill("Ann")
    await page.get_by_label("as", exact=True).press("Tab")
    await page.get_by_role("button", name="Claim", exact=True).click()
    await expect(page.locator('.work-lock [data-field="holder"]')).to_have_text("Ann")

    await page.reload()
    await expect(page.locator(".work-lock")).to_contain_text("Yours:")
    await page.get_by_role("button", name="Release").click()
    await expect(page.locator(".work-lock")).to_contain_text("Free.")
    assert (await rpc.call("locks.list"))["locks"] == []


async def test_issue_is_changed_from_the_page(visitor: Visitor, rpc: RpcSocket) -> None:
    """Edit, label, block, comment, subissue, close, reopen, delete: each is what the daemon has."""
    page = visitor.page
    other = await issue(rpc, "Other")
    number = await issue(rpc, "Old title")
    await visitor.open("work", str(number))
    await page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name=f"Edit #{number}")
    await dialog.get_by_label("Title").fill("New title")
    await dialog.get_by_label("Description").fill("Two\nlines")
    await dialog.get_by_label("Priority").select_option("high")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator('.work-detail [data-field="description"]')).to_have_text("Two\nlines")
    for label, text in (("New label", "kitchen"), ("Number of an issue", str(other))):
        await page.get_by_label(label).fill(text)
        await page.get_by_label(label).press("Enter")
    await expect(page.locator(".work-links").first).to_contain_text("Other")
    await page.locator("#work-comment").fill("Done soon")
    await page.locator("#work-comment").press("Control+Enter")
    await expect(page.locator(".work-comments")).to_contain_text("Done soon")
    await page.get_by_role("button", name="Close issue").click()
    await page.get_by_role("button", name="Reopen").click()
    await expect(page.get_by_role("button", name="Close issue")).to_be_visible()

    found = await rpc.call("issues.get", {"id": number})
    assert (found["title"], found["priority"], found["labels"], found["blockers"]) == (
        "New title", "high", ["kitchen"], [other]
    )  # fmt: skip
    assert [comment["content"] for comment in found["comments"]] == ["Done soon"]
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name=f"Delete #{number} for good?")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.locator(".work-detail")).to_contain_text("There is no such issue")
    error = await rpc.fail("issues.get", {"id": number})
    assert error["data"]["code"] == "not_found"


async def test_what_the_daemon_refuses_is_said_in_the_dialog(visitor: Visitor) -> None:
    """Nothing that was typed is lost."""
    page = visitor.page
    await visitor.open("work")
    await page.get_by_role("button", name="New issue").click()
    dialog = page.get_by_role("dialog", name="New issue")
    await dialog.get_by_label("Title").fill("x" * 600)
    await dialog.get_by_role("button", name="Open issue").click()
    await expect(dialog.get_by_role("alert")).to_have_text("title is longer than 512 bytes")
    await dialog.get_by_label("Title").fill("short")
    await dialog.get_by_role("button", name="Open issue").click()
    await expect(page.get_by_role("heading", name="short")).to_be_visible()


async def test_keys_go_over_the_board(visitor: Visitor, rpc: RpcSocket) -> None:
    """Letters and arrows move, Enter opens, x closes, c claims, Escape leads back."""
    page = visitor.page
    one, two = await issue(rpc, "One"), await issue(rpc, "Two")
    three = await issue(rpc, "Three", one)
    await visitor.open("work")
    await expect(card(visitor, three)).to_be_visible()
    focused = "document.activeElement.dataset.issue"
    for key, number in (("j", one), ("j", two), ("l", three), ("ArrowLeft", one), ("k", one)):
        await page.keyboard.press(key)
        assert await page.evaluate(focused) == str(number), key
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="#1 One")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".work-detail")).to_be_hidden()
    assert await page.evaluate(focused) == str(one)

    await page.keyboard.press("c")
    await state_of(visitor, one, "working")
    await page.keyboard.press("x")
    await state_of(visitor, one, "closed")


async def test_graph_draws_what_waits_for_what(visitor: Visitor, rpc: RpcSocket) -> None:
    """What comes first stands left, nodes are links, and a list says the same."""
    page = visitor.page
    first = await issue(rpc, "First")
    second = await issue(rpc, "Second", first)
    third = await issue(rpc, "Third", second, first)
    part = await issue(rpc, "Part of third", parent_id=third)
    alone = await issue(rpc, "Alone")
    await visitor.open("work", "graph")
    node = page.locator(".work-graph-frame a[data-issue]")
    await expect(node).to_have_count(4)
    boxes = {
        number: await page.locator(f'.work-graph-frame a[data-issue="{number}"]').bounding_box()
        for number in (first, second, third, part)
    }
    left = {number: box["x"] for number, box in boxes.items() if box}
    assert left[first] < left[second] < left[third]
    assert left[part] < left[third]
    assert alone not in left
    await page.get_by_text("As a list").click()
    await expect(page.locator(".work-waits li").nth(2)).to_have_text("#3 Third: waits for #1 #2")

    await page.keyboard.press("l")
    await page.keyboard.press("l")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="#2 Second")).to_be_visible()


async def test_leases_show_holder_fence_queue_and_paths(visitor: Visitor, rpc: RpcSocket) -> None:
    """Locks with who waits in their order, reservations with globs, both with what is left."""
    page = visitor.page
    number = await issue(rpc, "Wanted")
    await rpc.call("locks.claim", {"issue_id": number, "agent": "ada", "lease_ms": 50_000})
    paths = {"paths": ["src/**"], "agent": "ada", "mode": "shared", "reason": "moving"}
    await rpc.call("reservations.claim", paths)
    for agent in ("bo", "cy"):
        await rpc.post("locks.claim", {"issue_id": number, "agent": agent, "wait": True})
    await visitor.open("work", "locks")
    lock = page.locator(f'[data-row="lock:{number}"]')
    await expect(lock.locator('[data-field="waits"]')).to_have_text(["bo", "cy"])
    await expect(lock.locator('[data-field="holder"]')).to_have_text("ada")
    await expect(lock.locator("td > .work-countdown")).to_have_attribute("data-tone", "nearly")
    reserved = page.locator('[data-row="reservation:1"]')
    await expect(reserved).to_contain_text("shared")
    await expect(reserved).to_contain_text("src/**")

    await rpc.call("locks.release", {"issue_id": number, "agent": "ada"})
    await expect(lock.locator('[data-field="holder"]')).to_have_text("bo")
    await expect(lock.locator('[data-field="waits"]')).to_have_text(["cy"])


@asynccontextmanager
async def visitor_late(browser: Browser, daemon: Daemon, ms: int) -> AsyncIterator[Visitor]:
    """Give somebody whose clock is late."""
    async with visiting(browser, daemon) as visitor:
        await visitor.page.clock.install(time=time.time() - ms / 1000)
        yield visitor


async def test_countdown_goes_by_the_daemons_clock(
    browser: Browser, daemon: Daemon, rpc: RpcSocket
) -> None:
    """A browser whose clock is two hours late does not show two hours too many."""
    async with visitor_late(browser, daemon, 7_200_000) as visitor:
        await visitor.open("work")
        number = await issue(rpc, "Timed")
        await rpc.call("locks.claim", {"issue_id": number, "agent": "ada", "lease_ms": 600_000})
        countdown = card(visitor, number).locator(".work-countdown")

        async def left() -> str:
            text: str = await countdown.inner_text() if await countdown.count() else ""
            return text if text.startswith(("9 min", "10 min")) else ""

        await eventually(left, what="a countdown of ten minutes")


async def test_filter_finds_words_numbers_holders_and_priorities(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """Each word narrows the board; slash goes there."""
    page = visitor.page
    one = await issue(rpc, "Red door", priority="high")
    two = await issue(rpc, "Blue door")
    await rpc.call("locks.claim", {"issue_id": two, "agent": "ada"})
    await visitor.open("work")
    for text, expected in (
        ("door", {one, two}), ("red", {one}), ("#2", {two}), ("@ad", {two}), ("!high", {one}),
        ("door !high @ada", set()),
    ):  # fmt: skip
        await page.keyboard.press("/")
        await page.get_by_label("Filter issues").fill(text)
        for number in (one, two):
            await expect(card(visitor, number)).to_have_count(int(number in expected))
        await page.keyboard.press("Escape")
