"""A mix of work in a room: the tracker, runs, chats, locks and who waits for them."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually


Step = Callable[[], Awaitable[Any]]


def call(who: RpcSocket, method: str, **params: Any) -> Step:
    """Make a step of one call."""
    return lambda: who.call(method, params)


def wait(who: RpcSocket, watcher: RpcSocket, issue: int) -> Step:
    """Make a step in which an agent begins to wait for a lock."""

    async def waits() -> None:
        await who.post("locks.claim", {"issue_id": issue, "wait": True, "wait_ms": 600_000})

        async def begun() -> bool:
            events = await watcher.journal(topics=[f"locks/{issue}"])
            return any(event["kind"] == "wait.begun" for event in events)

        await eventually(begun, what="the wait")

    return waits


def chat(who: RpcSocket, text: str) -> Step:
    """Make a step in which somebody asks and is answered."""

    async def said() -> None:
        key = f"chat-{text}"
        message = {"session": "kitchen", "message": text, "idempotency_key": key}
        await who.call("chat.send", message)

        async def answered() -> bool:
            events = await who.journal(topics=["chat/*"])
            finals = [event["data"] for event in events if event["kind"] == "chat.final"]
            return any(final["run_id"] == key for final in finals)

        await eventually(answered, what="the answer")

    return said


def work(rpc: RpcSocket, ada: RpcSocket, bo: RpcSocket) -> list[Step]:
    """Give a mix of work, each step complete when it returns."""
    turn = {"prompt": "How warm is it?", "output": {"text": "41 degrees"}}
    look = {"tool": "look", "parameters": {"place": "kitchen"}, "output": "steam"}
    outcome = {"status": "success", "summary": "Warm again."}
    return [
        call(rpc, "issues.create", title="Cold tea", description="It is cold."),
        call(ada, "runs.start", intent="Look after the tea", idempotency_key="tea"),
        call(rpc, "issues.create", title="Buy a kettle", priority="high"),
        call(rpc, "issues.block", id=1, blocker_id=2),
        call(ada, "locks.claim", issue_id=2),
        call(ada, "runs.record_turns", run_id="tea", turns=[turn]),
        wait(bo, rpc, 2),
        chat(rpc, "Is there tea?"),
        call(rpc, "issues.label", id=1, label="kitchen"),
        call(rpc, "issues.comment", id=1, content="Since Monday.", kind="observation"),
        call(ada, "reservations.claim", paths=["kitchen/**"], reason="tidying"),
        call(ada, "runs.record_turns", run_id="tea", turns=[look]),
        call(rpc, "issues.create", title="Fill it", parent_id=2),
        call(rpc, "topics.publish", topic="lobby", data={"text": "Anyone?"}),
        call(ada, "locks.renew", issue_id=2, fence=1),
        call(ada, "issues.close", id=2, fence=1),
        call(ada, "locks.release", issue_id=2, fence=1),
        call(rpc, "issues.update", id=1, title="Warm tea", description="It was cold."),
        call(ada, "runs.complete", run_id="tea", outcome=outcome),
        call(rpc, "locks.steal", issue_id=2, agent="cy", reason="bo sleeps"),
        chat(rpc, "Thank you"),
        call(rpc, "chat.session_patch", session="kitchen", changes={"thinkingLevel": "high"}),
        call(ada, "reservations.release", id=1),
        call(rpc, "issues.delete", id=3),
        call(rpc, "issues.reopen", id=2),
        call(bo, "runs.start", intent="Wash up"),
    ]
