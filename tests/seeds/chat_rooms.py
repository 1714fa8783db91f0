"""What the chat tests of seed 003 have in common: looking back, and letting time pass."""

from tests.clients.model_server import ModelServer
from tests.clients.openclaw import TERMINAL, OpenclawSocket, is_chat


def terminals(claw: OpenclawSocket, run_id: str) -> list[str]:
    """Return the terminal states of a run among everything seen so far."""
    states = [f["payload"]["state"] for f in claw.seen if is_chat(run_id)(f)]
    return [state for state in states if state in TERMINAL]


def chat_states(claw: OpenclawSocket, run_id: str) -> list[str]:
    """Return all chat states of a run, in order of arrival."""
    return [f["payload"]["state"] for f in claw.seen if is_chat(run_id)(f)]


async def finish_another_run(claw: OpenclawSocket, model: ModelServer, key: str) -> None:
    """Run a whole turn, so that whatever an earlier run still had to say has been said."""
    await claw.chat_send(key, "another turn")
    turn = await model.next_turn()
    turn.say("done")
    turn.finish()
    await claw.chat_event(key, "final")
