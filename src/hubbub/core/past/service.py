"""Tells how the room is, and how it was after any event that is or was in the journal."""

from typing import Any

import msgspec
from msgspec.structs import asdict

from hubbub.core.chat.conversation import History, RunningTurn, SessionInfo
from hubbub.core.chat.service import check_limit
from hubbub.core.chat.session_keys import canonical, topic_of
from hubbub.core.journal import Journal
from hubbub.core.past import journalled, present
from hubbub.core.past.room import Room
from hubbub.core.past.transcript import Walk
from hubbub.core.ports import Store
from hubbub.core.runs.run import Snapshot
from hubbub.core.tracker.issue_rows import IssueChanged, IssueRow
from hubbub.core.tracker.issues import Issue, IssueDetail, checked_number
from hubbub.core.values import Position
from hubbub.errors import InvalidRequest, NotFound


PAGE = 256
"""Events of a conversation that are read in one step."""
MAX_HISTORY_BYTES = 6 * 1024 * 1024
"""Bytes of the messages of one history at most."""


class Past:
    """Reads the room, now or at a place of the journal.

    What is told of the house itself is never cut, so every place can be asked for. Raises
    ``InvalidRequest`` for a position of another journal, or one that is still to come.
    """

    def __init__(self, journal: Journal, store: Store) -> None:
        """Read a store."""
        self._journal = journal
        self._store = store

    async def room(self, at: Position | None = None) -> Room:
        """Give the room; who follows from its position misses nothing.

        Args:
            at: ``None``: as it is now.
        """
        if at is None:
            seq, tables = await self._store.together(present.QUERIES)
            await self._journal.told(seq)
            return await self._room(seq, present.parts(tables))
        seq = self._place(at)
        _, tables = await self._store.together(journalled.queries(seq))
        return await self._room(seq, journalled.parts(tables))

    async def history(
        self, session_key: str, at: Position, *, limit: int
    ) -> tuple[History, list[RunningTurn]]:
        """Give the newest messages of a session as it was, and the turns that were open.

        Raises:
            InvalidRequest: The key or the limit has no usable form.
        """
        check_limit(limit)
        name, seq = canonical(session_key), self._place(at)
        session = await self._session(name, seq)
        if session is None:
            nothing = History(
                session_key=name, session_id=None, messages=[], run_ids=[], seq=seq, thinking=None
            )
            return nothing, []
        walk = Walk(session.session_id, limit=limit, max_bytes=MAX_HISTORY_BYTES)
        await self._walk(walk, topic_of(name), seq)
        kept = walk.messages()
        history = History(
            session_key=name,
            session_id=session.session_id,
            messages=[message for message, _ in kept],
            run_ids=[run_id for _, run_id in kept],
            seq=seq,
            thinking=session.fields.get("thinkingLevel"),
        )
        return history, walk.running()

    async def trace(self, run_id: str, at: Position) -> Snapshot:
        """Give a run and its turns as they were.

        Raises:
            NotFound: There was no such run.
        """
        seq = self._place(at)
        rows = await self._store.rows("past_run", run_id=run_id, at=seq)
        if not rows:
            raise NotFound("run", run_id)
        run = journalled.run_of(rows[0])
        turns = await self._store.rows("past_turns", run_id=run_id, count=run.turn_count)
        data = b"[" + b",".join(turn for (turn,) in turns) + b"]"
        return Snapshot(run=run, turns=msgspec.Raw(data), seq=seq)

    async def issue(self, issue_id: int, at: Position) -> IssueDetail:
        """Give an issue with everything that hung on it.

        Raises:
            NotFound: There was none of that number.
        """
        seq = self._place(at)
        topic = f"issues/{checked_number(issue_id)}"
        _, (told, newest) = await self._store.together(
            [("past_topic", {"topic": topic, "at": seq}), journalled.issues(seq)]
        )
        changes = [msgspec.json.decode(row[0], type=IssueChanged) for row in told]
        row = changes[-1].issue if changes else None
        if row is None:
            raise NotFound("issue", issue_id)
        issues = journalled.issue_rows(newest)
        below = [issue for issue in reversed(issues) if issue.parent_id == issue_id]
        return IssueDetail(
            **asdict(await self._described(row, seq)),
            labels=row.labels,
            comments=[one.comment for one in changes if one.comment is not msgspec.UNSET],
            blockers=row.blockers,
            blocking=[issue.id for issue in reversed(issues) if issue_id in issue.blockers],
            subissues=[await self._described(issue, seq) for issue in below],
        )

    async def _room(self, seq: int, parts: dict[str, list[Any]]) -> Room:
        newest = await self._store.rows("journal_at", seq=seq)
        position = Position(epoch=self._store.epoch, seq=seq)
        return Room(position=position, at=newest[0][0] if newest else None, **parts)

    async def _session(self, name: str, seq: int) -> SessionInfo | None:
        rows = await self._store.rows("past_session", topic=topic_of(name), at=seq)
        data = rows[0][0] if rows else None
        return None if data is None else msgspec.json.decode(data, type=SessionInfo)

    async def _walk(self, walk: Walk, topic: str, seq: int) -> None:
        """Take events until enough are known; the first of a transcript is never passed."""
        at = seq
        while rows := await self._store.rows("past_page", topic=topic, at=at, limit=PAGE):
            for number, kind, data in rows:
                walk.take(number, kind, data)
                if walk.is_over:
                    return
            at = rows[-1][0] - 1

    async def _described(self, row: IssueRow, seq: int) -> Issue:
        """Give an issue with its description."""
        topic = f"issues/{row.id}"
        ((description,),) = await self._store.rows("past_description", topic=topic, at=seq)
        names = (name for name in Issue.__struct_fields__ if name != "description")
        return Issue(description=description, **{name: getattr(row, name) for name in names})

    def _place(self, at: Position) -> int:
        """Give the place of a position that this journal has reached."""
        epoch, newest = self._store.epoch, self._store.last_seq()
        if at.epoch != epoch:
            if at.epoch not in self._store.earlier:
                message = f"position {at.cursor()!r} is of another journal; this one is {epoch!r}"
                raise InvalidRequest(message)
            # Up to the copy from which this one was restored both hold the same.
            newest = self._store.earlier[at.epoch]
        if not 0 <= at.seq <= newest:
            message = f"there is no position {at.seq}; they go from 0 to {newest}, the newest"
            raise InvalidRequest(message)
        return at.seq
