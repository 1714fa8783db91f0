"""The page's runs: their turns, following, cancelling, comparing, and how they ended."""

from typing import Any, Literal

import pytest

from tests.browser.axe import serious_findings
from tests.browser.visitor import Visitor
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually


TURNS: list[dict[str, Any]] = [
    {"prompt": "Find the blue lamp"},
    {"tool": "search_notes", "parameters": {"query": "lamp"}, "output": ["hall.md"]},
    {"output": "It is in the hall."},
]


async def started(rpc: RpcSocket, intent: str, turns: list[dict[str, Any]], **more: Any) -> str:
    """Start a run and record its turns."""
    run = await rpc.call("runs.start", {"agent": "ada", "intent": intent, **more})
    run_id: str = run["run_id"]
    if turns:
        await rpc.call("runs.record_turns", {"run_id": run_id, "turns": turns})
    return run_id


async def labels(visitor: Visitor) -> list[list[str]]:
    """Give kind and label of each turn that is shown."""
    found: list[list[str]] = await visitor.call(
        """() => [...document.querySelectorAll(".waterfall > ol > .turn")].map((turn) =>
          [turn.dataset.kind, turn.querySelector(".turn-label").lastChild.textContent])"""
    )
    return found


async def test_open_run_is_followed(visitor: Visitor, rpc: RpcSocket) -> None:
    """Turns come one by one, each once, and the end with its summary."""
    run_id = await started(rpc, "Find the lamp", TURNS[:1])
    await visitor.open("runs", run_id)
    await visitor.page.locator(".run-head", has_text="running").wait_for()
    for turn in TURNS[1:]:
        await rpc.call("runs.record_turns", {"run_id": run_id, "turns": [turn]})
    outcome = {"status": "success", "summary": "The lamp is found."}
    await rpc.call("runs.complete", {"run_id": run_id, "outcome": outcome})
    await visitor.page.locator(".outcome", has_text="The lamp is found.").wait_for()
    assert await labels(visitor) == [
        ["prompt", "Find the blue lamp"],
        ["tool", "search_notes"],
        ["answer", "It is in the hall."],
    ]
    await visitor.page.locator(".turn-head", has_text="search_notes").click()
    await visitor.page.locator(".turn-part", has_text='{"query": "lamp"}').wait_for()
    await visitor.page.locator(".turn-part", has_text='["hall.md"]').wait_for()


async def test_run_is_cancelled_after_a_question(visitor: Visitor, rpc: RpcSocket) -> None:
    """The button asks; only the second one ends the run, and the page says by what."""
    run_id = await started(rpc, "Find the lamp", [], on_disconnect="cancel", grace_ms=2000)
    await visitor.open("runs", run_id)
    await visitor.page.get_by_text("it is cancelled after 2 s").wait_for()
    await visitor.page.get_by_role("button", name="Cancel the run").click()
    assert (await rpc.call("runs.get", {"run_id": run_id}))["status"] == "in_progress"
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    await visitor.page.locator(".outcome", has_text="stopped by hand").wait_for()
    assert (await rpc.call("runs.get", {"run_id": run_id}))["status"] == "cancelled"


async def test_filters_choose_among_runs(visitor: Visitor, rpc: RpcSocket) -> None:
    """By status and by words; a watched run stays in front, whatever the filters say."""
    done = await started(rpc, "Water the plants", [])
    await rpc.call("runs.complete", {"run_id": done, "outcome": {"status": "failure"}})
    await started(rpc, "Find the lamp", [])
    await visitor.open("runs", done)
    rows = visitor.page.locator(".run-intent")

    async def shown(*wanted: str) -> None:
        async def look() -> bool:
            return await rows.all_text_contents() == [*wanted]

        await eventually(look, what=f"{wanted}")

    await shown("Find the lamp", "Water the plants")
    await visitor.page.get_by_role("button", name="running").click()
    await shown("Find the lamp")
    await visitor.page.get_by_role("button", name="Watch").click()
    await shown("Water the plants", "Find the lamp")
    await visitor.page.get_by_role("button", name="all", exact=True).click()
    await visitor.page.get_by_role("searchbox").fill("PLANTS")
    await shown("Water the plants")


async def test_two_runs_stand_side_by_side(visitor: Visitor, rpc: RpcSocket) -> None:
    """Outcomes, tools and turns are held against each other."""
    good = await started(rpc, "Find the lamp", TURNS)
    await rpc.call("runs.complete", {"run_id": good, "outcome": {"status": "success"}})
    bad = await started(rpc, "Find the lamp", TURNS[:1])
    await rpc.call("runs.complete", {"run_id": bad, "outcome": {"status": "failure"}})
    await visitor.open("runs", good, bad)
    figures = visitor.page.locator(".compare-figures tbody tr")
    outcome = figures.filter(has_text="Outcome")
    await outcome.filter(has_text="differs").wait_for()
    assert await outcome.locator("td").all_text_contents() == ["succeeded", "failed", "differs"]
    tools = figures.filter(has_text="search_notes").locator("td")
    assert await tools.all_text_contents() == ["1", "0", "\N{MINUS SIGN} 1"]
    assert await visitor.page.locator(".compare-turns tbody tr").count() == len(TURNS)
    assert await visitor.page.locator(".compare-turns tr[data-differs]").count() == 2


async def test_past_run_has_the_turns_of_then(visitor: Visitor, rpc: RpcSocket) -> None:
    """At a past position a run is as it was, and nothing may be changed."""
    run_id = await started(rpc, "Find the lamp", TURNS[:2])
    position = (await rpc.call("system.ping"))["position"]["seq"]
    await rpc.call("runs.record_turns", {"run_id": run_id, "turns": TURNS[2:]})
    await rpc.call("runs.complete", {"run_id": run_id, "outcome": {"status": "success"}})
    await visitor.open("runs", run_id)
    await visitor.page.locator(".run-head", has_text="succeeded").wait_for()
    await visitor.page.locator("#when").fill(str(position))
    await visitor.page.locator(".run-head", has_text="running").wait_for()
    assert len(await labels(visitor)) == 2
    assert not await visitor.page.get_by_role("button", name="Cancel the run").is_visible()


async def test_hostile_turns_are_text(visitor: Visitor, rpc: RpcSocket) -> None:
    """Markup, deep JSON and long texts leave the layout as it is."""
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    name = "<script>alert(1)</script>\u202e" + "w" * 400
    turns = [{"tool": name, "parameters": deep, "output": "z" * 200_000}]
    run_id = await started(rpc, name, turns)
    await visitor.open("runs", run_id)
    await visitor.page.locator(".turn-head").click()
    await visitor.page.get_by_role("button", name="Show all").click()
    await visitor.page.get_by_role("dialog").wait_for()
    assert await visitor.overflow() <= 0
    await visitor.page.keyboard.press("Escape")
    await visitor.page.keyboard.press("Escape")
    await visitor.page.locator(".runs-side").wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_runs(
    visitor: Visitor, rpc: RpcSocket, scheme: Literal["light", "dark"]
) -> None:
    """Neither in a list with an open run, nor in two side by side."""
    await visitor.page.emulate_media(color_scheme=scheme)
    run_id = await started(rpc, "Find the lamp", [*TURNS, {"tool": "x", "output": {"error": 1}}])
    endings: list[dict[str, Any]] = [{"status": "failure"}, {"status": "partial_success"}]
    for outcome in endings:
        other = await started(rpc, "Find the lamp", TURNS)
        await rpc.call("runs.complete", {"run_id": other, "outcome": outcome})
    await visitor.open("runs", run_id)
    await visitor.page.locator(".turn-head", has_text="search_notes").click()
    assert await serious_findings(visitor) == []
    await visitor.see("runs", run_id, other)
    await visitor.page.locator(".compare-turns tbody tr").first.wait_for()
    assert await serious_findings(visitor) == []
