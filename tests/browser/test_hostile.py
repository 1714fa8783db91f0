"""Hostile events on every view: shown as text, nothing executed, the layout as it was."""

from typing import Any

import pytest
from playwright.async_api import Browser

from tests.browser.rows import rows
from tests.browser.visitor import Visitor, visiting
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.daemon import Daemon


CONTROLS = "\x00\x01\x07\x08\x1b[31m\x7f\x9b\u2028\u200b"
BIDI = "\u202egnp.\u202c\u2066\u2069\u200f"
LONG_BYTES = 1_048_576
TOPIC_BYTES = 65_535
DEPTH = 400
"""Lists in one another; the daemon takes no deeper JSON than some hundreds."""
SCREENS = [(1280, 800, "light"), (360, 740, "dark")]


def evil(name: str) -> str:
    """Give markup that would say so if it ran, with a mark by which its text is found."""
    return (
        f"«{name}»<img src=x onerror=\"window.pwned='{name}'\">"
        f"<script>window.pwned='{name}'</script>"
        f"<svg onload=alert('{name}')>{{{{7+7}}}}"
    )


def long(name: str) -> str:
    """Give a text of a megabyte without a place to break it, which begins with markup."""
    text = evil(name) + BIDI + CONTROLS
    return text + "W" * (LONG_BYTES - len(text.encode()) - 1024)


def deep() -> Any:
    """Give lists in lists, with markup at the bottom."""
    value: Any = evil("deep")
    for _ in range(DEPTH):
        value = [value]
    return value


AGENT = evil("agent") + BIDI
SESSION = evil("session")  # a key must be printable
TOPIC = evil("topic") + CONTROLS
TOPIC += "t" * (TOPIC_BYTES - len(TOPIC.encode()))
RUN = evil("run")

PLACES: list[tuple[tuple[str, ...], list[str]]] = [
    (("now",), ["agent", "holder", "kind"]),
    (("runs",), ["intent"]),
    (("runs", RUN), ["intent", "outcome", "summary", "tool"]),
    (("chat",), ["session"]),
    (("chat", SESSION), ["session", "message"]),
    (("work",), ["title", "label", "holder"]),
    (("work", "graph"), ["title"]),
    (("work", "locks"), ["title", "holder", "reason"]),
    (("work", "1"), ["title", "label", "description", "comment", "context", "trigger"]),
    (("work", evil("route")), ["title"]),
    (("topics",), ["topic"]),
    (("topics", TOPIC), ["topic"]),
    (("health",), []),
]
"""Each place with the marks of the texts that it must show."""


async def track(rpc: RpcSocket) -> None:
    """Fill every text of the tracker."""
    write = rpc.call
    await write(
        "issues.create", {"title": evil("title"), "description": long("description")[:60_000]}
    )
    await write("issues.create", {"title": evil("other") + "W" * 300, "parent_id": 1})
    await write("issues.block", {"id": 1, "blocker_id": 2})
    await write("issues.label", {"id": 1, "label": (BIDI + evil("label"))[:100]})
    await write("issues.comment", {"id": 1, "content": long("comment")})
    intervention = {"kind": "intervention", "trigger_type": evil("trigger")[:120]}
    await write(
        "issues.comment",
        {"id": 1, "content": CONTROLS, "intervention_context": long("context"), **intervention},
    )
    await write("locks.claim", {"issue_id": 1, "agent": evil("holder") + "W" * 5000})
    await write("locks.steal", {"issue_id": 2, "agent": AGENT, "reason": evil("steal")})
    await write(
        "reservations.claim",
        {
            "paths": ["w" * 250, evil("glob").replace("/", "")[:250]],
            "agent": evil("holder"),
            "reason": evil("reason"),
        },
    )
    await rpc.post("locks.claim", {"issue_id": 1, "agent": evil("waits"), "wait": True})


async def talk(rpc: RpcSocket) -> None:
    """Fill every text of runs, chats and topics."""
    write = rpc.call
    await write(
        "runs.start",
        {
            "agent": AGENT,
            "intent": long("intent")[:60_000],
            "outcome_description": evil("outcome"),
            "idempotency_key": RUN,
        },
    )
    tool = {
        "tool": evil("tool"),
        "parameters": {evil("name"): deep()},
        "output": long("output"),
        "error": evil("error"),
    }
    turn = {"prompt": long("prompt"), "output": {"text": long("answer"), evil("key"): deep()}}
    await write("runs.record_turns", {"run_id": RUN, "turns": [turn, tool]})
    await write(
        "runs.complete",
        {"run_id": RUN, "outcome": {"status": "success", "summary": long("summary")}},
    )
    await write(
        "chat.send",
        {"session": SESSION, "message": long("message"), "idempotency_key": "chat-evil"},
    )

    async def answered() -> bool:
        events = await rpc.journal(topics=["chat/*"])
        return any(event["kind"] in {"chat.final", "chat.error"} for event in events)

    await eventually(answered, what="the end of the turn")
    for data in (deep(), long("data"), {evil("property"): long("value")}, [CONTROLS, BIDI], None):
        await write(
            "topics.publish", {"topic": TOPIC, "kind": evil("kind") + "k" * 2000, "data": data}
        )
    # Looks like the daemon's own events, and lacks everything that those have.
    for kind in ("issue.changed", "lock.claimed", "run.started", "chat.session", "agent.heartbeat"):
        await write(
            "topics.publish",
            {"topic": "lobby", "kind": kind, "data": {"issue": {"id": evil("id")}}},
        )


WATCH = """() => {
  window.pwned = undefined;
  window.alert = (text) => { window.pwned = `alert ${text}`; };
}"""

LAYOUT = """() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const [header, main, bar] = [box("header.bar"), box("main"), box(".time-bar")];
  return {
    header: header.top,
    bar: Math.round(bar.bottom - innerHeight),
    gap: Math.round(bar.top - main.bottom),
    isHigh: header.height > 160 || bar.height > 90, room: main.height,
  };
}"""


async def unharmed(visitor: Visitor, place: tuple[str, ...]) -> None:
    """Check that nothing ran, and that the frame stands where it should."""
    assert await visitor.call("() => window.pwned ?? null") is None, place
    assert await visitor.overflow() <= 0, place
    layout = await visitor.call(LAYOUT)
    assert (layout["header"], layout["bar"], layout["gap"], layout["isHigh"]) == (0, 0, 0, False), (
        place
    )
    assert layout["room"] > 300, place
    seen = await visitor.call(
        "() => document.querySelectorAll('main script, main img[src=x], main svg[onload]').length"
    )
    assert seen == 0, place


@pytest.mark.timeout(300)
async def test_hostile_events_are_text_on_every_view(
    browser: Browser, daemon: Daemon, rpc: RpcSocket
) -> None:
    """Live while they come, after a reload, and in the past; wide and at a phone's width."""
    asked: list[str] = []
    for width, height, scheme in SCREENS:
        async with visiting(browser, daemon, width=width, height=height, scheme=scheme) as visitor:
            visitor.page.on("request", lambda request: asked.append(request.url))
            visitor.page.on("dialog", lambda dialog: asked.append(f"dialog: {dialog.message}"))
            await visitor.page.add_init_script(f"({WATCH})()")
            await visitor.open("work", "1")
            if width == SCREENS[0][0]:
                await track(rpc)
                await talk(rpc)
            seq = await quiet(visitor, rpc)
            for number, (place, marks) in enumerate(PLACES):
                await visitor.see(*place)
                assert await rows(visitor, seq) is not None, place
                await unharmed(visitor, place)
                text = await visitor.call("() => document.querySelector('main').textContent")
                for mark in marks:
                    assert f"«{mark}»" in text, (place, mark)
                await visitor.screenshot(f"hostile-{number}-{place[0]}-{width}")
            await visitor.page.keyboard.press("[")
            for place, _ in PLACES:
                await visitor.see(*place)
                assert await rows(visitor, seq - 1) is not None, place
                await unharmed(visitor, place)
            await still_usable(visitor)
    origin = daemon.url("hubbub")
    assert [
        url for url in asked if not url.startswith((origin, "ws" + origin.removeprefix("http")))
    ] == []


async def quiet(visitor: Visitor, rpc: RpcSocket) -> int:
    """Wait until the page has seen everything; gives the newest position."""
    seq: int = (await rpc.call("system.ping"))["position"]["seq"]
    await visitor.has_seen(seq)
    return seq


async def still_usable(visitor: Visitor) -> None:
    """Keys and buttons do what they did."""
    page = visitor.page
    await page.keyboard.press("0")
    await page.keyboard.press("4")
    await page.wait_for_selector('main[data-view="work"]')
    await page.keyboard.press("?")
    await page.get_by_role("dialog", name="Keys").wait_for()
    await page.keyboard.press("Escape")
