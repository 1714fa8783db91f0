"""*Now*: who is here, what each does, the river of events, and an event's causes."""

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, expect

from tests.browser.visitor import Visitor, visiting
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.daemon import Daemon


ROOT = Path(__file__).parents[2]


def lines(visitor: Visitor) -> Locator:
    """Give the lines of the river."""
    return visitor.page.locator(".river-lines > li")


def card(visitor: Visitor, agent: str) -> Locator:
    """Give the card of an agent."""
    name = visitor.page.locator(".name", has_text=re.compile(f"^{re.escape(agent)}$"))
    return visitor.page.locator(".agent").filter(has=name)


async def agent_socket(daemon: Daemon, guests: Guests, rpc: RpcSocket, name: str) -> RpcSocket:
    """Connect an agent through hubbub's own door."""
    made = await rpc.call("tokens.create", {"agent": name})
    return await guests.rpc(daemon, made["token"])


async def test_agents_stand_at_their_doors_with_what_they_do(
    visitor: Visitor, guests: Guests, rpc: RpcSocket
) -> None:
    """Run with its turns, issue, lock with its fence, and whom somebody waits for."""
    daemon = visitor.daemon
    ada = await agent_socket(daemon, guests, rpc, "ada")
    bo = await agent_socket(daemon, guests, rpc, "bo")
    token = (await rpc.call("tokens.create", {"agent": "cy"}))["token"]
    cy = await guests.car_agent(daemon, "cy", token)
    await rpc.call("issues.create", {"title": "The blue lamp"})
    await ada.call("locks.claim", {"issue_id": 1})
    await bo.post("locks.claim", {"issue_id": 1, "wait": True, "wait_ms": 60_000})
    await visitor.open()
    await ada.call("agents.heartbeat", {"active_issue_id": 1})
    await cy.start_run("cy", "look at the lamp")
    run = (await ada.call("runs.start", {"intent": "ask around"}))["run_id"]
    await ada.call("runs.record_turns", {"run_id": run, "turns": [{"tool": "ask"}]})

    await expect(card(visitor, "ada")).to_contain_text("ask around1 turn")
    await expect(card(visitor, "ada")).to_contain_text("1: The blue lamp")
    await expect(card(visitor, "ada")).to_contain_text("lock 1fence 1")
    await expect(card(visitor, "bo")).to_contain_text("for locks/1held by ada")
    at_car = visitor.page.locator('.people-group[data-door="car"]')
    await expect(at_car).to_contain_text("look at the lamp")
    await expect(visitor.page.locator('.tile[data-door="car"]')).to_contain_text("1 agent")
    await expect(visitor.page.locator(".now-headline")).to_have_text(
        "3 agents in the room, through 2 doors"
    )
    await ada.call("runs.cancel", {"run_id": run})
    await expect(card(visitor, "ada")).not_to_contain_text("ask around")


async def test_an_answer_is_read_while_it_is_given(visitor: Visitor) -> None:
    """The card of an agent that streams shows the end of its text, until it has ended."""
    config = '[agents.main]\nrunner = "command"\ncommand = ["sh", "-c", "echo so far; sleep 60"]\n'
    visitor.daemon.configure(config)
    await visitor.daemon.restart()
    async with await RpcSocket.connect(visitor.daemon) as rpc:
        await visitor.open()
        await rpc.call("chat.send", {"session": "main", "message": "go", "idempotency_key": "k"})
        says = card(visitor, "main").locator('[data-deed="says"]')
        await expect(says).to_contain_text("so far")
        await rpc.call("chat.abort", {"session": "main"})
        await expect(says).to_have_count(0)


async def test_river_tells_what_happens_in_words(
    visitor: Visitor, guests: Guests, rpc: RpcSocket
) -> None:
    """The newest on top, also what happened before; heartbeats only for those who ask."""
    ada = await agent_socket(visitor.daemon, guests, rpc, "ada")
    await ada.publish("lobby", {"text": "the tea is cold"})
    await visitor.open()
    await expect(lines(visitor).first).to_contain_text("ada published on lobby: the tea is cold")
    x0x = await guests.x0x(visitor.daemon)
    await x0x.publish("swarm", b"hello")
    await expect(lines(visitor).first).to_contain_text("operator sent “hello” on swarm")
    await expect(lines(visitor).first).to_have_attribute("data-door", "x0x")
    await ada.call("agents.heartbeat", {})
    await rpc.call("issues.create", {"title": "Tea"})
    await expect(lines(visitor).first).to_contain_text("operator opened issue 1: Tea")
    await expect(visitor.page.get_by_text("is alive")).to_have_count(0)

    await visitor.page.get_by_label("Kind").fill("agent.heartbeat")
    await expect(lines(visitor)).to_have_count(1)
    await expect(lines(visitor)).to_contain_text("ada is alive")


async def test_filters_choose_by_door_agent_topic_and_kind(
    visitor: Visitor, guests: Guests, rpc: RpcSocket
) -> None:
    """Of what was there and of what comes; one press shows all again."""
    ada = await agent_socket(visitor.daemon, guests, rpc, "ada")
    x0x = await guests.x0x(visitor.daemon)
    await visitor.open()
    page = visitor.page
    for number in range(3):
        await ada.publish("lobby/a", number)
        await rpc.publish("lobby/b", number, kind="note.small")
        await x0x.publish("swarm", b"x")

    await page.locator('.tile[data-door="x0x"]').click()
    await expect(lines(visitor)).to_have_count(3)
    await x0x.publish("swarm", b"x")
    await ada.publish("lobby/a", 3)
    await expect(lines(visitor)).to_have_count(4)
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator('.tile[data-door="x0x"]')).to_have_attribute("aria-pressed", "false")

    await page.get_by_label("Topic").fill("lobby/*")
    await expect(lines(visitor)).to_have_count(7)
    await page.get_by_label("Kind").fill("note")
    await expect(lines(visitor)).to_have_count(3)
    await page.get_by_label("Kind").fill("")
    await page.get_by_label("Agent").fill("ada")
    await expect(lines(visitor)).to_have_count(4)
    await page.get_by_label("Agent").fill("nobody")
    await expect(lines(visitor)).to_have_count(0)
    await expect(page.locator(".river .empty")).to_contain_text("None of the newest")


async def test_river_stands_still_and_flows_on(visitor: Visitor, rpc: RpcSocket) -> None:
    """While it stands it says how many wait; then all of them are there."""
    await visitor.open()
    await rpc.publish("lobby", "before")
    await expect(lines(visitor).first).to_contain_text("before")
    await visitor.page.keyboard.press("p")
    await rpc.publish("lobby", "one")
    await rpc.publish("lobby", "two")
    await expect(visitor.page.locator(".river-bar .chip")).to_have_text("2 new, waiting")
    await expect(lines(visitor).first).to_contain_text("before")

    await visitor.page.keyboard.press("p")
    await expect(lines(visitor).first).to_contain_text("two")
    await lines(visitor).nth(2).hover()
    await rpc.publish("lobby", "three")
    await expect(visitor.page.locator(".river-bar .chip")).to_have_text("1 new, waiting")
    await visitor.page.locator(".now-headline").hover()
    await expect(lines(visitor).first).to_contain_text("three")


async def test_causes_of_an_event_are_drawn_as_a_chain(visitor: Visitor, rpc: RpcSocket) -> None:
    """From a message over run, tool call and issue to the lock, and each stop can be opened."""
    said = await rpc.publish("lobby", {"text": "the lamp is blue"})
    start = {"agent": "ada", "intent": "look", "cause": said["id"]}
    run = (await rpc.call("runs.start", start))["run_id"]
    turn = {"tool": "look", "output": "a glow"}
    await rpc.call("runs.record_turns", {"run_id": run, "turns": [turn]})
    opened = await rpc.call("issues.create", {"title": "Lamp", "cause": f"runs/{run}"})
    await rpc.publish("lobby", "an aside", cause=f"runs/{run}")
    claim = {"issue_id": opened["id"], "agent": "ada", "cause": f"issues/{opened['id']}"}
    await rpc.call("locks.claim", claim)
    await visitor.open()
    await expect(lines(visitor).first).to_contain_text("claimed lock")

    await visitor.page.keyboard.press("j")
    await visitor.page.keyboard.press("Enter")
    dialog = visitor.page.get_by_role("dialog", name="ada claimed lock 1 (fence 1)")
    signs = dialog.locator(".stop-sign")
    await expect(signs).to_have_text(["message", "run", "tool call", "issue", "lock", "message"])
    await expect(dialog.locator(".chosen")).to_contain_text("claimed lock 1")
    await expect(dialog.locator(".event-data")).to_contain_text('"fence": 1')

    await dialog.get_by_role("button", name="published on lobby: the lamp").click()
    first = visitor.page.get_by_role("dialog", name="operator published on lobby: the lamp")
    await expect(first.locator(".chosen")).to_contain_text("the lamp is blue")
    await expect(first.locator(".event-fields")).to_contain_text(said["id"])
    await visitor.page.keyboard.press("Escape")
    await expect(first).to_be_hidden()
    await expect(visitor.page).to_have_url(re.compile("#/now$"))


async def test_cause_that_is_no_event_stands_as_a_request(visitor: Visitor, rpc: RpcSocket) -> None:
    """What several events name as their cause joins them, also where it is a request's id."""
    first = await rpc.publish("lobby", 1, cause="request-17")
    await rpc.publish("lobby", 2, cause="request-17")
    await visitor.open()
    await visitor.see("now", "event", first["id"])

    signs = visitor.page.locator(".chain .stop-sign")
    await expect(signs).to_have_text(["request", "message", "message"])


async def test_hostile_events_are_text(visitor: Visitor, rpc: RpcSocket) -> None:
    """Markup, control signs, a megabyte, deep lists, and data that lies about its kind."""
    await visitor.open()
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    for kind in ("run.started", "lock.claimed", "wait.cycle", "issue.changed", "agent.status"):
        await rpc.publish("odd", None, kind=kind)
        await rpc.publish("odd", {"agent": 5, "run_id": {}, "session": []}, kind=kind)
    await rpc.publish("odd", deep)
    await rpc.publish("x" * 65_535, "\x00\x1b[31m\u202e")
    await rpc.publish("big", "A" * (1 << 20))
    await rpc.publish("odd", "<img src=x onerror=alert(1)><script>alert(2)</script>")
    await expect(lines(visitor).first).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(lines(visitor).nth(2)).to_contain_text("␀␛[31m\ufffd")
    await expect(visitor.page.locator(".river img, .river script")).to_have_count(0)
    await expect(lines(visitor)).to_have_count(14)
    await expect(visitor.page.locator(".agent")).to_have_count(0)
    heights = await visitor.call(
        "() => [...new Set([...document.querySelectorAll('.river-line')].map(e => e.offsetHeight))]"
    )
    assert len(heights) == 1
    assert await visitor.overflow() <= 0

    await lines(visitor).nth(1).locator("button").click()
    data = visitor.page.locator(".event-data")
    await expect(data).to_contain_text("more than is shown here")
    assert len(await data.inner_text()) < 110_000


async def test_past_shows_who_was_here_and_what_had_happened(
    visitor: Visitor, guests: Guests, rpc: RpcSocket
) -> None:
    """The slider takes people and river back; nothing newer stands there."""
    await rpc.publish("lobby", "long ago")
    await agent_socket(visitor.daemon, guests, rpc, "ada")
    await visitor.open()
    await expect(card(visitor, "ada")).to_have_count(1)
    await rpc.publish("lobby", "just now")
    await expect(lines(visitor).first).to_contain_text("just now")

    await visitor.call(
        "() => { const e = document.querySelector('#when'); e.value = 1;"
        " e.dispatchEvent(new Event('input')); }"
    )
    await expect(lines(visitor)).to_have_count(1)
    await expect(lines(visitor)).to_contain_text("long ago")
    await expect(visitor.page.locator(".agent")).to_have_count(0)
    await rpc.publish("lobby", "meanwhile")
    await visitor.page.keyboard.press("0")
    await expect(lines(visitor).first).to_contain_text("meanwhile")
    await expect(card(visitor, "ada")).to_have_count(1)


async def test_empty_room_says_what_to_do(browser: Browser, daemon: Daemon) -> None:
    """With the commands that bring somebody in."""
    async with visiting(browser, daemon) as visitor:
        await visitor.open()
        await expect(visitor.page.locator(".people .empty")).to_contain_text("hubbub serve --demo")
        await expect(visitor.page.locator(".river .empty")).to_contain_text("hubbub publish lobby")


def test_every_kind_of_the_documents_has_a_phrase() -> None:
    """No event of the daemon's own is told as raw data."""
    documents = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = documents.partition("\n## Events\n")[2].partition("\n## ")[0]
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| ")]
    kinds = {kind for row in rows for kind in re.findall(r"`(\w+\.\w+)`", row[2])}
    phrases = (ROOT / "src/hubbub/page/room/phrases.js").read_text("utf-8")

    assert len(kinds) >= 30
    assert kinds <= set(re.findall(r'^  "(\w+\.\w+)": ', phrases, flags=re.MULTILINE))
