"""Promise 3 at every door: a request that is sent twice is executed once."""

import asyncio
import contextlib
import signal
from collections import Counter
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from scripts.write_idempotency import DOORS
from tests.blackbox.repeated import CASES, CONFLICT, Call, Case, callers, filled
from tests.clients.guests import Guests
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


async def prepared(daemon: Daemon, guests: Guests) -> tuple[RpcSocket, dict[str, Any]]:
    """Give a socket to look with, and what the cases need to begin with."""
    await daemon.agent_token("ann")
    rpc = await guests.rpc(daemon)
    return rpc, {"me": (await rpc.call("agents.identity", {"agent": "ann"}))["agent_id"]}


async def effects(rpc: RpcSocket) -> Any:
    """Give what the requests so far have left, once nothing runs any more."""

    async def is_quiet() -> bool:
        runs = (await rpc.call("runs.list"))["runs"]
        return all(run["source"] != "chat" or run["status"] != "in_progress" for run in runs)

    await eventually(is_quiet, what="the end of all turns")
    events = await rpc.journal()
    # Whoever acts is here, which is told when it is noticed; marks are the tests' own.
    ids = [e["id"] for e in events if e["topic"] != "mark" and not e["topic"].startswith("agents/")]
    return (
        ids,
        (await rpc.call("tokens.list"))["tokens"],
    )


def shown(case: Case, answer: Any) -> Any:
    """Give of an answer what a repeat must say, too."""
    return {name: answer[name] for name in case.same} if case.same else answer


def test_every_verb_with_a_key_is_tried() -> None:
    """The cases are those of the table that the documentation is made of."""
    tried = {door: {case.verb for case in cases} for door, cases in CASES.items()}
    keyed = {
        door: {verb for verb, row in table.items() if row.key and "without effect" not in row.key}
        for door, table in DOORS.items()
    }
    assert tried == keyed


@pytest.mark.parametrize("door", CASES)
async def test_repeat_is_the_first_answer_and_another_body_a_conflict(
    daemon: Daemon, guests: Guests, door: str
) -> None:
    """Of every verb: the repeat answers as the first did, the other body is refused; no effect."""
    rpc, kept = await prepared(daemon, guests)
    call = (await callers(daemon, guests))[door]
    for number, case in enumerate(CASES[door]):
        key, body = f"key-{number}", filled(case.body, kept)
        first = await call(case.verb, body, key)
        assert first != CONFLICT, case.verb
        before = await effects(rpc)
        again = await call(case.verb, body, key)
        assert shown(case, again) == shown(case, first), case.verb
        assert await call(case.verb, filled(case.other, kept), key) == CONFLICT, case.verb
        assert await effects(rpc) == before, case.verb
        if case.keeps:
            kept[case.keeps] = first


@pytest.mark.parametrize("door", CASES)
async def test_twins_on_two_connections_are_one_request(
    daemon: Daemon, guests: Guests, door: str
) -> None:
    """Of every verb: twins that race get one answer, and there is one effect."""
    rpc, kept = await prepared(daemon, guests)
    twins: list[Call] = [(await callers(daemon, guests))[door] for _ in range(2)]
    for number, case in enumerate(CASES[door]):
        if case.verb == "agents.chat":
            continue  # a second connection cannot hear the same turn: it is refused, not doubled
        key, body = f"key-{number}", filled(case.body, kept)
        first, second = await asyncio.gather(*(call(case.verb, body, key) for call in twins))
        assert shown(case, first) == shown(case, second) != CONFLICT, case.verb
        before = await effects(rpc)
        assert shown(case, await twins[0](case.verb, body, key)) == shown(case, first), case.verb
        assert await effects(rpc) == before, case.verb
        if case.keeps:
            kept[case.keeps] = first


LAST = 120
"""The time at which a point kills the daemon: later than its start comes to it."""

ONE_EACH = (
    ("hubbub", "topics.publish", {"topic": "once/a", "data": 1}, "message"),
    ("x0x", "POST /publish", {"topic": "once/b", "payload": "MQ=="}, "bytes"),
    ("crosslink", "POST /api/v1/issues", {"title": "once"}, "issue.changed"),
    ("car", "runs.start", {"agent_id": "ann", "intent": "once"}, "run.started"),
    ("openclaw", "sessions.reset", {"key": "agent:main:once"}, "chat.session"),
)
"""A verb of each door, and the kind of the one event that it leaves."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("point", ["before_commit", "after_commit", "before_answer"])
async def test_repeat_after_a_crash_has_one_effect(
    start_daemon: StartDaemon, guests: Guests, point: str
) -> None:
    """The daemon is killed under requests; each that is sent again has been executed once."""
    daemon = await start_daemon(env={"HUBBUB_CRASH_AT": f"{point}:{LAST}"})
    answers: list[Any] = []
    sent = 0
    calls = await callers(daemon, guests)
    with contextlib.suppress(AssertionError, OSError, aiohttp.ClientError, ConnectionClosed):
        while True:
            door, verb, body, _ = ONE_EACH[sent % len(ONE_EACH)]
            sent += 1
            answers.append(await calls[door](verb, body, f"key-{sent - 1}"))
    assert await daemon.wait_for_end() == -signal.SIGKILL
    assert 0 < len(answers) < sent

    daemon.env.clear()
    await daemon.start()
    calls = await callers(daemon, guests)
    for _ in range(2):
        for number in range(sent):
            door, verb, body, _ = ONE_EACH[number % len(ONE_EACH)]
            answer = await calls[door](verb, body, f"key-{number}")
            if number < len(answers):
                assert answer == answers[number], (door, number)
    events = await (await guests.rpc(daemon)).journal()
    left = Counter(event["kind"] for event in events)
    asked = Counter(ONE_EACH[number % len(ONE_EACH)][3] for number in range(sent))
    assert {kind: left[kind] for kind in asked} == asked
