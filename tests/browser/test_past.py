"""Time travel in the page: what it shows of a past position is what it showed then."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.rows import Row, rows
from tests.browser.story import work
from tests.browser.visitor import Visitor
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.daemon import Daemon


PLACES = (
    ("now",),
    ("runs", "tea"),
    ("chat", "agent:main:kitchen"),
    ("work", "locks"),
    ("work",),
    ("work", "1"),
)
"""What is looked at, each by its address; lists stand beside what is open."""
KINDS = frozenset(
    (
        *("agent", "event", "run", "run-detail", "turn", "session", "message"),
        *("issue", "lock", "reservation", "detail", "comment"),
    )
)
"""Rows that must have been seen at some time."""
SEED = 20261121
JOURNEYS = 10

Record = dict[tuple[str, ...], list[Row]]


async def position_of(rpc: RpcSocket) -> int:
    """Give the newest position."""
    seq: int = (await rpc.call("system.ping"))["position"]["seq"]
    return seq


async def record(visitor: Visitor, rpc: RpcSocket) -> tuple[int, Record]:
    """Look at everything at one position; again where something happened meanwhile."""

    async def looked() -> Any:
        seq = await position_of(rpc)
        await visitor.has_seen(seq)
        seen: Record = {}
        for place in PLACES:
            await visitor.see(*place)
            found = await rows(visitor, seq)
            if found is None:
                return None
            seen[place] = found
        return seq, seen

    found: tuple[int, Record] = await eventually(looked, what="a moment of rest")
    return found


@pytest.fixture
async def agents(daemon: Daemon) -> AsyncIterator[list[RpcSocket]]:
    """Give two agents that are connected."""
    tokens = [await daemon.agent_token(name) for name in ("ada", "bo")]
    async with (
        await RpcSocket.connect(daemon, tokens[0]) as ada,
        await RpcSocket.connect(daemon, tokens[1]) as bo,
    ):
        yield [ada, bo]


@pytest.mark.timeout(300)
async def test_past_positions_show_what_was_seen_live(
    visitor: Visitor, rpc: RpcSocket, agents: list[RpcSocket]
) -> None:
    """At ten random positions every row and every durable field is the one that was recorded."""
    await visitor.open()
    recorded: dict[int, Record] = {}
    for step in work(rpc, *agents):
        await step()
        seq, seen = await record(visitor, rpc)
        recorded[seq] = seen
    found = (row["row"] for seen in recorded.values() for each in seen.values() for row in each)
    assert {name.partition(":")[0] for name in found} >= KINDS

    chosen = random.Random(SEED).sample(sorted(recorded)[:-1], JOURNEYS)
    for seq in chosen:
        await travel(visitor, seq)
        for place in PLACES:
            await visitor.see(*place)
            assert await rows(visitor, seq) == recorded[seq][place], (seq, place)
    await visitor.page.keyboard.press("0")
    newest = max(recorded)
    for place in PLACES:
        await visitor.see(*place)
        assert await rows(visitor, newest) == recorded[newest][place], place


async def travel(visitor: Visitor, seq: int) -> None:
    """Move the slider to a position."""
    await visitor.page.locator("#when").fill(str(seq))
    await expect(visitor.page.locator("main")).to_have_attribute("data-position", str(seq))


FOLD = """async ([before, events, after]) => {
  const { fold, roomOf } = await import("/page/room/fold.js");
  const sorted = (value) => value instanceof Map ? sorted(Object.fromEntries(value))
    : Array.isArray(value) || value === null || typeof value !== "object" ? value
      : Object.fromEntries(Object.entries(value)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, each]) => [name, sorted(each)]));
  const room = roomOf(before);
  for (const event of events) fold(room, event);
  return [JSON.stringify(sorted(room)), JSON.stringify(sorted(roomOf(after)))];
}"""


async def test_room_folded_in_the_page_is_the_daemons(
    visitor: Visitor, rpc: RpcSocket, agents: list[RpcSocket]
) -> None:
    """A snapshot and the events after it give the later snapshot, whichever two there are."""
    await visitor.open()
    for step in work(rpc, *agents):
        await step()
    events = await rpc.journal()
    epoch = (await rpc.call("system.ping"))["position"]["epoch"]
    snapshots = [
        await rpc.call("room.snapshot", {"at": {"epoch": epoch, "seq": seq}})
        for seq in range(events[-1]["seq"] + 1)
    ]
    for seq in range(len(snapshots) - 1):
        following = [event for event in events if event["seq"] == seq + 1]
        folded, told = await visitor.call(FOLD, [snapshots[seq], following, snapshots[seq + 1]])
        assert folded == told, following
    folded, told = await visitor.call(FOLD, [snapshots[0], events, snapshots[-1]])
    assert folded == told


async def test_past_is_read_only_linked_and_left_with_one_key(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """The band says when it was; nothing can be written; the address leads there again."""
    page = visitor.page
    await rpc.call("issues.create", {"title": "One"})
    await rpc.call("issues.create", {"title": "Two"})
    await visitor.open("work")
    newest = await position_of(rpc)
    await visitor.has_seen(newest)
    board = page.locator(".work-board")
    await expect(board).to_contain_text("Two")

    await page.keyboard.press("[")
    await expect(page.get_by_text("Nothing can be changed here")).to_be_visible()
    await expect(board).not_to_contain_text("Two")
    await expect(page.get_by_role("button", name="New issue")).to_be_hidden()
    await page.keyboard.press("n")
    await expect(page.locator(".notices")).to_contain_text("This is the past")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await visitor.see("work", "1")
    await eventually(
        lambda: _has(visitor, f"?at={newest - 1}-"), what="an address with its position"
    )

    await page.reload()
    await expect(page.locator("main")).to_have_attribute("data-position", str(newest - 1))
    await expect(page.get_by_role("heading", name="#1 One")).to_be_visible()
    for name in ("Claim", "Comment", "Add"):
        await expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    await expect(page.get_by_role("button", name="Delete")).to_be_disabled()

    await page.keyboard.press("0")
    await expect(board).to_contain_text("Two")
    await eventually(
        lambda: _has(visitor, "#/work/1", "?at="), what="an address without a position"
    )
    assert await position_of(rpc) == newest


async def _has(visitor: Visitor, part: str, but: str | None = None) -> bool:
    url = visitor.page.url
    return part in url and (but is None or but not in url)


async def test_past_is_played_until_the_present(visitor: Visitor, rpc: RpcSocket) -> None:
    """Playing goes on by itself, can be paused, and ends live."""
    page = visitor.page
    for number in range(30):
        await rpc.call("topics.publish", {"topic": "lobby", "data": number})
    await visitor.open("work")
    await visitor.has_seen(await position_of(rpc))
    await page.keyboard.press("<")
    await page.keyboard.press("p")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    reached = page.locator("main")
    await expect(reached).to_have_attribute("data-position", "1")
    await page.keyboard.press("p")
    await expect(page.get_by_role("button", name="Play the past")).to_be_visible()
    paused = await reached.get_attribute("data-position")
    assert int(paused or 0) < 30

    for _ in range(6):
        await page.keyboard.press(">")
    await page.keyboard.press("p")
    await expect(page.get_by_text("Nothing can be changed here")).to_be_hidden()
    await expect(page.get_by_role("button", name="Play the past")).to_be_visible()


async def test_link_into_another_journal_shows_now_and_says_so(visitor: Visitor) -> None:
    """A position means nothing in a journal of another epoch."""
    await visitor.open("work")
    await visitor.call("() => { location.hash = '#/work?at=1-00000000' }")
    await expect(visitor.page.locator(".notices")).to_contain_text("another journal")
    await eventually(lambda: _has(visitor, "#/work", "?at="), what="an address without a position")


async def test_pointer_on_the_slider_tells_the_event_under_it(
    visitor: Visitor, rpc: RpcSocket
) -> None:
    """Its number, time, kind, topic and actor; a click goes there."""
    page = visitor.page
    for number in range(20):
        await rpc.call("topics.publish", {"topic": "lobby", "data": number})
    await visitor.open("work")
    box = await page.locator("#when").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    hint = page.locator(".time-hint")
    await expect(hint).to_contain_text("message on lobby, by operator")
    text = await hint.inner_text()
    await page.mouse.down()
    await page.mouse.up()
    at = int(text.split()[1])
    await expect(page.locator("main")).to_have_attribute("data-position", str(at))
    await expect(page.locator(".past-band")).to_contain_text(f"After event {at}: message on lobby")
