"""The room as it is: read from the tables of the services, all as of one moment."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hubbub.core.chat.session_table import session_of
from hubbub.core.identity.agent_record import doors_of
from hubbub.core.past.room import MAX_RUNS, MAX_SESSIONS, RoomAgent, RoomWait
from hubbub.core.ports import Query, Row
from hubbub.core.runs.run import run_of
from hubbub.core.tracker.issue_rows import issue_row_of
from hubbub.core.tracker.lock_table import lock_of
from hubbub.core.tracker.reservation_table import reservation_of
from hubbub.core.tracker.waits import topic_of


QUERIES: Sequence[Query] = (
    ("presence_rows", {}),
    ("run_rows", {"limit": MAX_RUNS}),
    ("chat_session_rows", {"limit": MAX_SESSIONS}),
    ("issue_rows", {}),
    ("lock_rows", {}),
    ("reservation_all", {}),
    ("waiting_rows", {}),
)
"""What is read; in the order that ``parts`` takes."""


def parts(tables: Sequence[Sequence[Row]]) -> dict[str, list[Any]]:
    """Give the lists of a ``Room`` by name, from the rows of the queries."""
    agents, runs, sessions, issues, locks, reservations, waits = tables
    return {
        "agents": [_agent_of(row) for row in agents],
        "runs": [run_of(row) for row in runs],
        "sessions": [session_of(row).info() for row in sessions],
        "issues": [issue_row_of(row) for row in issues],
        "locks": [lock_of(row) for row in locks],
        "reservations": [reservation_of(row) for row in reservations],
        "waits": [_wait_of(row) for row in waits],
    }


def _agent_of(row: Row) -> RoomAgent:
    agent, status, connections = row
    return RoomAgent(agent=agent, status=status, doors=doors_of(msgspec.json.decode(connections)))


def _wait_of(row: Row) -> RoomWait:
    ticket, agent, issue_id, held_by, until = row
    return RoomWait(
        ticket=ticket,
        agent=agent,
        waits_for=topic_of(issue_id),
        held_by=msgspec.json.decode(held_by),
        until=until,
    )
