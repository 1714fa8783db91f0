"""A walk through every view, in a room with 10,000 events and agents that talk."""

import asyncio
import statistics
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.browser import axe
from tests.browser.axe import serious_findings
from tests.browser.visitor import Visitor, visiting
from tests.clients.rpc import RpcSocket
from tests.conftest import StartDaemon
from tests.daemon import Daemon


VIEWS = ("now", "runs", "chat", "work", "topics", "health")
SCREENS = [(1280, 800, "light"), (1280, 800, "dark"), (360, 740, "light")]
EVENTS = 10_000
RATE = 500
"""Events a second while frames are measured."""
SECONDS = 5
MOST_NODES = 6_000
"""Elements that a view may have however much happens."""

SAMPLE = """() => {
  const frames = (window.frames_seen = []);
  let last = performance.now();
  const next = (now) => {
    frames.push(now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}"""


@pytest.fixture
async def demo(start_daemon: StartDaemon) -> Daemon:
    """Give a daemon with the demo's agents, a chat with one of them, and many events."""
    daemon = await start_daemon(args=["--demo"])
    ask = {"session": "agent:ada:main", "message": "What is next?", "idempotency_key": "ask"}
    async with await RpcSocket.connect(daemon) as writer:
        await writer.call("chat.send", ask)
        await flood(writer, EVENTS)
    return daemon


async def flood(writer: RpcSocket, count: int) -> int:
    """Publish many events, and give the position of the last."""
    asked = []
    for number in range(count):
        params = {"topic": f"load/{number % 7}", "data": {"number": number, "text": "tea " * 8}}
        asked.append(await writer.post("topics.publish", params))
        if len(asked) == 500:
            answers = [await writer.result(each) for each in asked]
            asked = []
    seq: int = answers[-1]["result"]["position"]["seq"]
    return seq


async def steadily(writer: RpcSocket) -> int:
    """Publish at a rate for some seconds, and give the position of the last event."""
    loop = asyncio.get_running_loop()
    begin, number, last = loop.time(), 0, 0
    while number < RATE * SECONDS:
        due = min(RATE * SECONDS, int((loop.time() - begin) * RATE))
        for each in range(number, due):
            last = await writer.post("topics.publish", {"topic": f"load/{each % 7}", "data": each})
        number = due
        await asyncio.sleep(0.01)  # the pace of the load, no wait for anything
    seq: int = (await writer.result(last))["result"]["position"]["seq"]
    return seq


@pytest.mark.timeout(240)
async def test_walk(browser: Browser, demo: Daemon) -> None:
    """No error, no failed call, nothing serious for axe, nothing wider than the window."""
    for width, height, scheme in SCREENS:
        async with visiting(browser, demo, width=width, height=height, scheme=scheme) as visitor:
            await visitor.open()
            for view in VIEWS:
                await visitor.see(view)
                await visitor.page.locator("main h2, main h3").first.wait_for()
                await visitor.screenshot(f"{view}-{scheme}-{width}")
                assert await serious_findings(visitor) == [], (view, scheme, width)
                assert await visitor.overflow() <= 0, (view, scheme, width)


def test_axe_examines_the_page() -> None:
    """Without axe-core the walk has looked at all but what people with aids would meet."""
    file = axe.script()
    if isinstance(file, str):
        pytest.skip(file)


@pytest.mark.timeout(120)
async def test_page_stays_usable_at_500_events_a_second(
    browser: Browser, demo: Daemon, record_property: Any
) -> None:
    """Frames go on, nothing piles up, and a key still opens another view meanwhile."""
    async with visiting(browser, demo) as visitor:
        await visitor.open()
        await visitor.call(SAMPLE)
        async with await RpcSocket.connect(demo) as writer:
            load = asyncio.create_task(steadily(writer))
            for number, view in ((5, "topics"), (2, "runs"), (1, "now")):
                await visitor.page.keyboard.press(str(number))
                await visitor.page.wait_for_selector(f'main[data-view="{view}"]')
            await visitor.has_seen(await load)
        figures = frame_figures(await visitor.call("() => window.frames_seen"))
        record_property("measured", f"frames at {RATE} events/s: {figures}")
        assert await nodes(visitor) < MOST_NODES


async def nodes(visitor: Visitor) -> int:
    """Count the elements of the view that is open."""
    count: int = await visitor.call("() => document.querySelectorAll('main *').length")
    return count


def frame_figures(frames: list[float]) -> dict[str, float]:
    """Say how evenly frames came, in milliseconds."""
    ordered = sorted(frames)
    return {
        "count": len(frames),
        "median_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 1),
        "longest_ms": round(ordered[-1], 1),
    }
