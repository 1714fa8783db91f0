"""Turns in the store: what was asked, and what became of it.

Everything with a transaction runs on the writer thread, inside somebody's unit. A turn's
row, its run and its events change together, so any of them tells the truth alone.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from hubbub.core.chat import session_table
from hubbub.core.chat.conversation import (
    INTERRUPTED,
    Aborted,
    AbortReason,
    Accepted,
    Failed,
    Final,
    RolledBack,
    Sent,
    Session,
    SessionInfo,
    Started,
    TurnState,
)
from hubbub.core.chat.messages import assistant_message, user_message
from hubbub.core.chat.session_keys import agent_of, topic_of
from hubbub.core.chat.stored_turn import (
    OUTCOMES,
    STATUS,
    TRANSITIONS,
    Answer,
    Asked,
    StoredTurn,
    turn_of,
)
from hubbub.core.chat.transcript import Transcript
from hubbub.core.ports import Transaction
from hubbub.core.runs.outcomes import INCOMPLETE, Outcome, cancelled, reported
from hubbub.core.runs.run import Ending, Run
from hubbub.core.runs.service import Runs
from hubbub.core.runs.trace import Turn, cut
from hubbub.core.values import Clock, IdSource, Principal
from hubbub.errors import Conflict, IdempotencyConflict, InvalidRequest, SessionBusy, TooLarge


class TurnTable:
    """Verbs on stored turns that compose in one unit."""

    def __init__(self, transcript: Transcript, runs: Runs, clock: Clock, ids: IdSource) -> None:
        """Write with the runs' own verbs; take the time from a clock."""
        self._transcript = transcript
        self._runs = runs
        self._clock = clock
        self._ids = ids

    def accept_in(
        self,
        tx: Transaction,
        caller: Principal,
        asked: Asked,
        said: Mapping[str, str],
    ) -> Sent:
        """Store a message and its turn, or tell what became of the same send.

        Args:
            said: What the open turns of the session have said so far, by run.

        Raises:
            IdempotencyConflict: The key stands for something else.
            InvalidRequest: The session takes no messages.
            SessionBusy: It is busy, and the message was not to wait.
            Conflict: Too many turns of the session are open.
        """
        run_id = asked.request.idempotency_key
        known = self.find_in(tx, run_id)
        if known is not None:
            return _same(known, caller, asked)
        if self._runs.find_in(tx, run_id) is not None:
            raise IdempotencyConflict(run_id)
        now, actor = self._clock(), caller.id
        session = session_table.find_in(tx, asked.key)
        if session is None:
            fields = dict(session_table.NEW_FIELDS)
            session = session_table.new_session(asked.key, self._ids(), fields, at=now)
            session_table.tell_in(tx, session, "created", actor=actor)
        if session.fields.get("sendPolicy") == "deny":
            message = "send blocked by session policy"
            raise InvalidRequest(message)
        ahead = self._make_way_in(tx, asked, session, said, actor)
        if ahead >= asked.max_open:
            message = f"{asked.max_open} messages wait in this session; let some be answered first"
            raise Conflict(message)
        touched = session_table.touch_in(tx, session, at=now, abortedLastRun=False)
        self._ask_in(tx, caller, asked, touched, now=now, ahead=ahead)
        return Sent(run_id=run_id, status="started")

    def _make_way_in(
        self,
        tx: Transaction,
        asked: Asked,
        session: Session,
        said: Mapping[str, str],
        actor: str,
    ) -> int:
        """Do with a session's open turns what a new message asks for; gives how many stay.

        Raises:
            SessionBusy: It is not to wait for them.
        """
        turns = [turn_of(row) for row in tx.rows("chat_turn_open", session_key=session.key)]
        own = session.fields.get("multitaskStrategy")
        match asked.request.multitask_strategy or own:
            case "reject" if turns:
                raise SessionBusy(session.key, turns[0].run_id)
            case "interrupt":
                for turn in turns:
                    self._abort_one_in(
                        tx, turn, "interrupt", actor, partial=said.get(turn.run_id, "")
                    )
            case "rollback":
                for turn in turns:
                    self._abort_one_in(tx, turn, "rollback", actor)
                    self._roll_back_in(tx, turn, actor)
            case _:  # an import may have brought a word that is none of ours
                return len(turns)
        return 0

    def _roll_back_in(self, tx: Transaction, turn: StoredTurn, actor: str) -> None:
        """Take a turn's question, and all that stands below it, out of the history."""
        at = {"session_id": turn.session_id, "place": turn.place}
        ids = tuple(row[0] for row in tx.rows("chat_message_ids_at", **at))
        tx.execute("chat_message_delete_at", **at)
        data = RolledBack(session_key=turn.session_key, run_id=turn.run_id, message_ids=ids)
        topic = topic_of(turn.session_key)
        tx.append(topic, "chat.rolled_back", data, actor=actor, cause=turn.cause)

    def _ask_in(
        self,
        tx: Transaction,
        caller: Principal,
        asked: Asked,
        session: SessionInfo,
        *,
        now: int,
        ahead: int,
    ) -> None:
        """Store the message, the run and the turn, and tell of them."""
        request, agent = asked.request, agent_of(asked.key)
        run_id, actor = request.idempotency_key, caller.id
        message = user_message(request.message, asked.images, at=now)
        place, _ = self._transcript.add_in(tx, session.session_id, "user", message, run_id=run_id)
        accepted = Accepted(
            session_key=asked.key,
            run_id=run_id,
            agent=agent,
            message=message,
            spelling=request.session_key,
            ahead=ahead,
            session=session,
        )
        event = tx.append(topic_of(asked.key), "chat.accepted", accepted, actor=actor)
        run = Run(
            run_id=run_id,
            agent=agent,
            client=actor,
            intent=cut(request.message),
            source="chat",
            session_key=asked.key,
            on_disconnect="continue",
            started_at=now,
        )
        self._runs.start_in(tx, run, actor=actor, cause=event.id)
        self._runs.turn_in(tx, run_id, Turn(prompt=request.message), actor=actor, cause=event.id)
        tx.execute(
            "chat_turn_put",
            run_id=run_id,
            caller=actor,
            digest=asked.digest,
            session_key=asked.key,
            session_id=session.session_id,
            spelling=request.session_key,
            agent=agent,
            place=place,
            thinking=request.thinking,
            timeout_ms=request.timeout_ms or None,
            cause=event.id,
            accepted_at=now,
        )

    def begin_in(self, tx: Transaction, run_id: str) -> StoredTurn | None:
        """Store that a turn's runner begins now; ``None``: it has been aborted before."""
        turn = self.find_in(tx, run_id)
        if turn is None or "started" not in TRANSITIONS[turn.state]:
            return None
        started = Started(
            session_key=turn.session_key,
            run_id=run_id,
            agent=turn.agent,
            spelling=turn.spelling,
        )
        event = tx.append(
            topic_of(turn.session_key),
            "chat.started",
            started,
            actor=_actor(turn),
            cause=turn.cause,
        )
        tx.execute("chat_turn_start", run_id=run_id, cause=event.id)
        return msgspec.structs.replace(turn, state="started", cause=event.id)

    def finish_in(self, tx: Transaction, run_id: str, answer: Answer) -> bool:
        """Store a turn's end with its answer; false: it has ended before."""
        turn = self.find_in(tx, run_id)
        state: TurnState = "ok" if answer.error is None else "error"
        if turn is None or state not in TRANSITIONS[turn.state]:
            return False
        now = self._clock()
        message = self._answer_in(tx, turn, answer, now)
        session = self._account_in(tx, turn, answer, now)
        self._end_run_in(tx, turn, state, answer)
        tx.execute("chat_turn_end", run_id=run_id, state=state, error=answer.error, ended_at=now)
        data: Final | Failed
        if answer.error is None:
            kind = "chat.final"
            data = Final(
                session_key=turn.session_key,
                run_id=run_id,
                message=message,
                usage=answer.usage,
                session=session,
            )
        else:
            kind = "chat.error"
            data = Failed(
                session_key=turn.session_key,
                run_id=run_id,
                error=answer.error,
                message=message,
                session=session,
            )
        tx.append(topic_of(turn.session_key), kind, data, actor=_actor(turn), cause=turn.cause)
        return True

    def interrupt_in(self, tx: Transaction, turn: StoredTurn) -> bool:
        """End a turn in the middle of which the daemon stops; false: it is not in the middle."""
        if turn.state != "started":
            return False
        return self.finish_in(tx, turn.run_id, Answer(error=INTERRUPTED, is_interrupted=True))

    def abort_in(
        self, tx: Transaction, key: str, run_id: str | None, reason: AbortReason, *, actor: str
    ) -> tuple[str, ...]:
        """End a turn, or all open ones of a session, without an answer; gives their ids.

        Raises:
            InvalidRequest: The run is open in another session.
        """
        if run_id is None:
            turns = [turn_of(row) for row in tx.rows("chat_turn_open", session_key=key)]
        else:
            turn = self.find_in(tx, run_id)
            turns = [turn] if turn is not None and "aborted" in TRANSITIONS[turn.state] else []
        for turn in turns:
            if turn.session_key != key:
                message = "runId does not match sessionKey"
                raise InvalidRequest(message)
            self._abort_one_in(tx, turn, reason, actor)
        return tuple(turn.run_id for turn in turns)

    def _abort_one_in(
        self,
        tx: Transaction,
        turn: StoredTurn,
        reason: AbortReason,
        actor: str,
        *,
        partial: str = "",
    ) -> None:
        """End a turn; what it said so far is kept where it is given."""
        now = self._clock()
        message: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
        if partial.strip():
            message = assistant_message(partial.strip(), at=now, stop_reason="aborted")
            self._reply_in(tx, turn, message)
        tx.execute("chat_turn_end", run_id=turn.run_id, state="aborted", error=None, ended_at=now)
        self._runs.end_in(
            tx, turn.run_id, "cancelled", cancelled(reason), actor=actor, cause=turn.cause
        )
        session = session_table.get_in(tx, turn.session_key)
        touched = session_table.touch_in(tx, session, at=now, abortedLastRun=True)
        data = Aborted(
            session_key=turn.session_key,
            run_id=turn.run_id,
            reason=reason,
            message=message,
            session=touched,
        )
        tx.append(topic_of(turn.session_key), "chat.aborted", data, actor=actor, cause=turn.cause)

    def _answer_in(
        self, tx: Transaction, turn: StoredTurn, answer: Answer, now: int
    ) -> msgspec.Raw | msgspec.UnsetType:
        """Add what was answered to the transcript, where there is anything to add."""
        if not answer.text and answer.error is None:
            return msgspec.UNSET
        message = assistant_message(
            answer.text,
            at=now,
            stop_reason=answer.stop_reason,
            error=answer.error,
            usage=answer.usage,
            model=answer.model,
            provider=answer.provider,
        )
        self._reply_in(tx, turn, message)
        return message

    def _reply_in(self, tx: Transaction, turn: StoredTurn, message: msgspec.Raw) -> None:
        """Put an answer below its question."""
        self._transcript.add_in(
            tx, turn.session_id, "assistant", message, run_id=turn.run_id, place=turn.place
        )

    def _account_in(
        self, tx: Transaction, turn: StoredTurn, answer: Answer, now: int
    ) -> SessionInfo:
        """Note at the session what its last turn used; gives the session."""
        fields: dict[str, Any] = {}
        if answer.usage is not None:
            usage = answer.usage
            used = usage.get("input", 0), usage.get("output", 0)
            fields["inputTokens"], fields["outputTokens"] = used
            fields["totalTokens"] = usage.get("totalTokens", sum(used))
        if answer.model is not None:
            fields["model"] = answer.model
        if answer.provider is not None:
            fields["modelProvider"] = answer.provider
        session = session_table.get_in(tx, turn.session_key)
        return session_table.touch_in(tx, session, at=now, **fields)

    def _end_run_in(
        self, tx: Transaction, turn: StoredTurn, state: TurnState, answer: Answer
    ) -> None:
        summary = answer.error or answer.text
        output = msgspec.Raw(msgspec.json.encode(summary))
        model = {"model": answer.model, "provider": answer.provider, "usage": answer.usage}
        self.record_in(tx, turn, Turn(output=output, model=msgspec.Raw(msgspec.json.encode(model))))
        status: Ending = "incomplete" if answer.is_interrupted else "completed"
        termination = (
            INCOMPLETE
            if answer.is_interrupted
            else reported(
                Outcome(status=OUTCOMES[state], summary=cut(summary)), now_ms=self._clock()
            )
        )
        self._runs.end_in(
            tx, turn.run_id, status, termination, actor=_actor(turn), cause=turn.cause
        )

    def record_in(self, tx: Transaction, turn: StoredTurn, step: Turn) -> bool:
        """Add a step to the trace of a turn's run; false: the trace is full."""
        try:
            self._runs.turn_in(tx, turn.run_id, step, actor=_actor(turn), cause=turn.cause)
        except TooLarge:
            return False
        return True

    def find_in(self, tx: Transaction, run_id: str) -> StoredTurn | None:
        """Give a turn as it stands within a unit."""
        row = tx.row("chat_turn_get", run_id=run_id)
        return None if row is None else turn_of(row)


def _same(known: StoredTurn, caller: Principal, asked: Asked) -> Sent:
    """Tell what became of a send that is repeated."""
    if known.caller != caller.id or known.digest != asked.digest:
        raise IdempotencyConflict(known.run_id)
    return Sent(run_id=known.run_id, status=STATUS[known.state], summary=known.error)


def _actor(turn: StoredTurn) -> str:
    return f"agent:{turn.agent}"
