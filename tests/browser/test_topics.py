"""*Topics*: which there are, how busy they are, the tail of one, and publishing."""

import re

from playwright.async_api import Locator, expect

from tests.browser.visitor import Visitor
from tests.clients.rpc import RpcSocket


def row(visitor: Visitor, topic: str) -> Locator:
    """Give the row of a topic."""
    name = visitor.page.get_by_role("button", name=topic, exact=True)
    return visitor.page.locator(".topics-table tbody tr").filter(has=name)


def tail(visitor: Visitor) -> Locator:
    """Give the lines of the tail."""
    return visitor.page.locator(".river-lines > li")


async def test_silent_topic_is_listed_and_can_be_read(visitor: Visitor, rpc: RpcSocket) -> None:
    """What was published before the page was opened is not lost from sight."""
    for number in range(3):
        await rpc.publish("old/news", {"text": f"number {number}"})
    for number in range(300):
        await rpc.post("topics.publish", {"topic": "noise", "data": number})
    await rpc.publish("last", 1)
    await visitor.open("topics")
    await expect(row(visitor, "old/news").locator("td").nth(2)).to_have_text("3")

    await row(visitor, "old/news").get_by_role("button").click()
    await expect(tail(visitor)).to_have_count(3)
    await expect(tail(visitor).first).to_contain_text("operator: number 2")
    await expect(visitor.page).to_have_url(re.compile("#/topics/old%2Fnews$"))


async def test_rates_grow_while_events_come(visitor: Visitor, rpc: RpcSocket) -> None:
    """A topic that is new appears by itself; the daemon's own stand in a table of their own."""
    await visitor.open("topics")
    await rpc.publish("fresh", "hello")
    await rpc.call("issues.create", {"title": "Tea"})
    await expect(row(visitor, "fresh").locator("td").nth(1)).to_have_text("0.1/s")
    await expect(row(visitor, "fresh")).to_contain_text("operator: hello")
    await expect(row(visitor, "issues/*")).to_contain_text("operator opened issue 1: Tea")
    assert await row(visitor, "fresh").locator(".spark-line").get_attribute("d")


async def test_tail_follows_stands_still_and_knows_prefixes(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """Only what belongs to it comes in; paused, it keeps what comes."""
    await rpc.publish("a", "first")
    await visitor.open("topics", "a")
    await expect(tail(visitor)).to_have_count(1)
    await rpc.publish("b", "other")
    await rpc.publish("a", "second")
    await expect(tail(visitor)).to_have_count(2)
    await visitor.page.keyboard.press("p")
    await rpc.publish("a", "third")
    await expect(visitor.page.locator(".river-bar .chip")).to_have_text("1 new, waiting")
    await visitor.page.keyboard.press("p")
    await expect(tail(visitor)).to_have_count(3)

    await visitor.see("topics", "issues/*")
    await expect(tail(visitor)).to_have_count(0)
    await rpc.call("issues.create", {"title": "Tea"})
    await expect(tail(visitor)).to_contain_text("operator opened issue 1: Tea")


async def test_publishing_checks_first_and_keeps_what_was_refused(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """Bad JSON and topics of the daemon are told at once; the good event is stored once."""
    await visitor.open("topics")
    page = visitor.page
    await page.get_by_label("JSON").check()
    topic, data = page.locator("#publish-topic"), page.locator("#publish-data")
    await topic.fill("lobby")
    await data.fill('{"text": "hel')
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".problem")).to_contain_text("This is no JSON")
    await expect(data).to_have_attribute("aria-invalid", "true")
    await data.fill('{"text": "hello"}')
    await expect(page.locator(".problem")).to_have_text("")

    await topic.fill("runs/1")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".problem")).to_contain_text("belong to the daemon")
    await topic.fill("lobby")
    await page.locator("#publish-kind").fill("greeting")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".notice")).to_contain_text("Published as event")
    await expect(data).to_have_value("")
    (event,) = await rpc.journal(topics=["lobby"])
    assert (event["kind"], event["data"]) == ("greeting", {"text": "hello"})


async def test_refusal_of_the_daemon_keeps_what_was_typed(visitor: Visitor, rpc: RpcSocket) -> None:
    """It is shown at the form, and nothing that was typed is lost."""
    await visitor.open("topics")
    page = visitor.page
    deep = "[" * 1_500 + "]" * 1_500
    await page.locator("#publish-topic").fill("lobby")
    await page.get_by_role("radio", name="JSON").check()
    await page.locator("#publish-data").fill(deep)
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".problem")).to_contain_text("nested too deeply")
    await expect(page.locator("#publish-data")).to_have_value(deep)
    await page.locator("#publish-data").fill("[" * 50_000 + "]" * 50_000)
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".problem")).to_contain_text("nested too deeply.")
    assert await rpc.journal(topics=["lobby"]) == []


async def test_number_that_a_browser_would_change_is_not_sent(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """Integers beyond 2^53 are refused, wherever they stand; the largest exact one is sent."""
    await visitor.open("topics")
    page = visitor.page
    await page.locator("#publish-topic").fill("lobby")
    await page.get_by_role("radio", name="JSON").check()
    await page.locator("#publish-data").fill('{"ids": [9007199254740993]}')
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".problem")).to_contain_text("would be 9007199254740992")
    await page.locator("#publish-data").fill('{"ids": [9007199254740991, 0.5]}')
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator("#publish-data")).to_have_value("")
    (event,) = await rpc.journal(topics=["lobby"])
    assert event["data"] == {"ids": [9007199254740991, 0.5]}


async def test_form_takes_no_more_than_it_can_send(visitor: Visitor) -> None:
    """A text that would break the connection is refused before it is sent."""
    await visitor.open("topics", "lobby")
    page = visitor.page
    fill = "(size) => { document.querySelector('#publish-data').value = 'ü'.repeat(size) }"
    await visitor.call(fill, (1 << 19) + 1)
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".problem")).to_contain_text("hubbub publish")


async def test_past_publishes_nothing(visitor: Visitor, rpc: RpcSocket) -> None:
    """The button is shut, and the form says why."""
    await rpc.publish("lobby", 1)
    await rpc.publish("lobby", 2)
    await visitor.open("topics", "lobby")
    await expect(tail(visitor)).to_have_count(2)
    await visitor.page.keyboard.press("[")
    await expect(visitor.page.get_by_role("button", name="Publish")).to_be_disabled()
    await expect(visitor.page.locator(".problem")).to_contain_text("This is the past")
    await expect(tail(visitor)).to_have_count(1)
    await visitor.page.keyboard.press("0")
    await expect(visitor.page.get_by_role("button", name="Publish")).to_be_enabled()
    await expect(tail(visitor)).to_have_count(2)


async def test_keys_go_from_topic_to_topic(visitor: Visitor, rpc: RpcSocket) -> None:
    """Down the clients' topics and on to the daemon's own, and back."""
    for name in ("a", "b"):
        await rpc.publish(name, 1)
    await visitor.open("topics", "a")
    await expect(row(visitor, "b")).to_have_count(1)
    chosen = visitor.page.locator(".topic-name[aria-pressed=true]")
    for key, name in (
        ("j", "b"),
        ("j", "agents/*"),
        ("j", "chat/*"),
        ("k", "agents/*"),
        ("k", "b"),
    ):
        await visitor.page.keyboard.press(key)
        await expect(chosen).to_have_text(name)


async def test_finding_asks_the_journal(visitor: Visitor, rpc: RpcSocket) -> None:
    """What is typed is the beginning of the names that are listed."""
    for name in ("alpha", "alps", "beta"):
        await rpc.publish(name, 1)
    await visitor.open("topics")
    await expect(row(visitor, "beta")).to_have_count(1)
    await visitor.page.get_by_label("Find").fill("al")
    await expect(row(visitor, "beta")).to_have_count(0)
    await expect(row(visitor, "alps")).to_have_count(1)
