"""``agent`` and ``agent.wait``: one turn, answered when it begins and when it has ended."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hubbub.core.chat.conversation import MultitaskStrategy, SendRequest
from hubbub.core.chat.session_keys import main_key
from hubbub.core.runs.run import Run
from hubbub.dialects.openclaw.chat import File, answer_of, attachment_errors, attachments
from hubbub.dialects.openclaw.events import Feed
from hubbub.dialects.openclaw.frames import UNAVAILABLE, Count, Name, Params, Refused
from hubbub.dialects.openclaw.methods import Method, Request
from hubbub.dialects.openclaw.room import Room
from hubbub.dialects.openclaw.rows import text_of
from hubbub.dialects.openclaw.turns import Outcome
from hubbub.errors import NotFound


DEFAULT_WAIT_MS = 30_000
STATUSES = {"completed": "ok", "incomplete": "error", "cancelled": "timeout"}
"""How a run ended, as ``agent.wait`` says it."""


class Agent(Params, frozen=True, forbid_unknown_fields=False):
    """Parameters of ``agent``; those that concern chat channels are passed over."""

    message: Name
    idempotency_key: Name
    agent_id: str | None = None
    session_key: str | None = None
    session_id: str | None = None
    thinking: str | None = None
    attachments: tuple[File, ...] = ()
    timeout: Count | None = None
    """Seconds."""
    multitask_strategy: MultitaskStrategy | None = None
    """Ours, as in ``chat.send``."""


class Wait(Params, frozen=True):
    """Parameters of ``agent.wait``."""

    run_id: Name
    timeout_ms: Count = DEFAULT_WAIT_MS


class Agents:
    """The methods."""

    def __init__(self, room: Room, feed: Feed) -> None:
        """Work on the room's hub."""
        self._hub = room.hub
        self._feed = feed

    def methods(self) -> Sequence[Method]:
        """Give the rows of the method table."""
        return [
            Method(name="agent", params=Agent, run=self.agent),
            Method(name="agent.wait", params=Wait, run=self.wait),
        ]

    async def agent(self, request: Request, params: Agent) -> object:
        """Run a turn: a first answer when it is accepted, a second when it has ended."""
        wanted = SendRequest(
            session_key=await self._session(params),
            message=params.message,
            idempotency_key=params.idempotency_key,
            attachments=attachments(params.attachments),
            thinking=params.thinking,
            multitask_strategy=params.multitask_strategy,
            timeout_ms=None if params.timeout is None else params.timeout * 1000,
        )
        with attachment_errors():
            sent = await self._hub.chat.send(request.principal, wanted)
        if sent.status in {"stopped", "error"}:
            return answer_of(sent)
        run_id = sent.run_id
        if sent.status != "ok":
            accepted_at = self._hub.clock()
            request.answer({"runId": run_id, "status": "accepted", "acceptedAt": accepted_at})
        outcome = await self._ended(run_id, None)
        assert outcome is not None  # noqa: S101 it waits without a limit
        return _result(outcome)

    async def wait(self, request: Request, params: Wait) -> object:
        """Wait until a run has ended, whichever door started it."""
        outcome = await self._ended(params.run_id, params.timeout_ms / 1000)
        if outcome is None or outcome.status == "timeout":
            return {"runId": params.run_id, "status": "timeout"}
        return msgspec.structs.replace(outcome, message=None)

    async def _session(self, params: Agent) -> str:
        """Find the session that the turn belongs to."""
        if params.session_key:
            return params.session_key
        if params.session_id:
            try:
                return await self._hub.chat.sessions.resolve(session_id=params.session_id)
            except NotFound:
                message = f"No session found: {params.session_id}"
                raise Refused(message) from None
        return main_key(params.agent_id) if params.agent_id else main_key()

    async def _ended(self, run_id: str, timeout_s: float | None) -> Outcome | None:
        """Give how a run ended: remembered, stored, or as soon as it happens."""
        outcome = self._feed.outcomes.get(run_id)
        if outcome is None:
            try:
                run = await self._hub.runs.find(run_id)
            except NotFound:
                run = None
            if run is not None and run.status != "in_progress":
                # Ended meanwhile, and therefore remembered; or long ago.
                return self._feed.outcomes.get(run_id) or _stored(run)
            outcome = await self._feed.outcomes.wait(run_id, timeout_s)
        return outcome


def _stored(run: Run) -> Outcome:
    status = STATUSES[run.status]
    return Outcome(
        run_id=run.run_id,
        status=status,
        started_at=run.started_at,
        ended_at=run.ended_at,
        error="the run failed" if status == "error" else None,
    )


def _result(outcome: Outcome) -> object:
    """Make the second answer of ``agent``.

    Raises:
        Refused: The turn has failed or was aborted.
    """
    if outcome.status != "ok":
        summary = outcome.error or "aborted"
        payload: Any = {"runId": outcome.run_id, "status": "error", "summary": summary}
        raise Refused(summary, code=UNAVAILABLE, payload=payload)
    text = text_of(outcome.message)
    started_at, ended_at = outcome.started_at, outcome.ended_at
    known = started_at is not None and ended_at is not None
    duration_ms = ended_at - started_at if known else 0  # type: ignore[operator]
    return {
        "runId": outcome.run_id,
        "status": "ok",
        "summary": "completed",
        "result": {
            "payloads": [{"text": text, "mediaUrl": None}] if text else [],
            "meta": {"durationMs": duration_ms},
        },
    }
