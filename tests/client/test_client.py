"""Both clients against a daemon: methods, agents, runs, chats, locks, refusals."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from hubbub.client import (
    AsyncClient,
    BlockingTurn,
    Client,
    ClientError,
    Closed,
    Forbidden,
    LockHeld,
    NotFound,
    Resumed,
    TooLarge,
    TooManyConnections,
    Turn,
    TurnFailed,
    Unauthorized,
    Unreachable,
)
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import Daemon


MODEL = '[agents.dumb]\nrunner = "command"\ncommand = ["false"]\n'


async def test_methods_give_typed_results(daemon: Daemon) -> None:
    """With structs or mappings as parameters; `call` gives plain JSON."""
    async with AsyncClient(data_dir=daemon.data_dir) as client:
        issue = await client.issues.create("Tea", priority="high")
        await client.issues.comment(issue.id, "hm")
        detail = await client.issues.get(issue.id)
        assert (detail.priority, detail.comments[0].content) == ("high", "hm")
        run = await client.runs.start("tea", agent="ann")
        recorded = await client.runs.record_turns(run.run_id, [{"tool": "kettle", "output": [1]}])
        assert recorded.count == 1
        done = await client.runs.complete(run.run_id, {"status": "success", "summary": "hot"})
        assert (done.status, done.termination["summary"]) == ("completed", "hot")
        assert (await client.call("issues.get", {"id": issue.id}))["title"] == "Tea"
        assert b'"title":"Tea"' in bytes(await client.raw("issues.get", {"id": issue.id}))
        assert client.place is not None
        assert client.place.url == daemon.url("hubbub")
        with pytest.raises(NotFound, match="issue 99 not found"):
            await client.issues.get(99)


async def test_agent_is_made_of_the_operators_token(daemon: Daemon) -> None:
    """It keeps its token over programs; one that was revoked is replaced."""
    async with AsyncClient(data_dir=daemon.data_dir) as operator:
        for _ in range(2):
            async with AsyncClient(data_dir=daemon.data_dir, agent="ann") as ann:
                assert (await ann.agents.identity()).agent == "ann"
                with pytest.raises(Forbidden):
                    await ann.tokens.list()
        (first,) = (await operator.tokens.list()).tokens
        await operator.tokens.revoke(first.id)
        async with AsyncClient(data_dir=daemon.data_dir, agent="ann") as ann:
            assert (await ann.agents.identity()).agent == "ann"
        (second,) = (await operator.tokens.list()).tokens
        assert (first.agent, second.agent, first.id != second.id) == ("ann", "ann", True)
        await operator.tokens.create("bo", idempotency_key="hubbub.client:cy")
        async with AsyncClient(data_dir=daemon.data_dir, agent="cy") as cy:
            assert (await cy.agents.identity()).agent == "cy"


async def test_agent_outlives_a_store_in_memory(start_daemon: StartDaemon) -> None:
    """A daemon that knows nothing any more makes it a new token."""
    daemon = await start_daemon(args=["--ephemeral"])
    async with AsyncClient(data_dir=daemon.data_dir, agent="ann") as ann:
        await ann.topics.publish("t", 1)
        await daemon.restart()
        assert (await ann.topics.publish("t", 2)).position.seq >= 1


async def test_token_that_is_not_known(daemon: Daemon) -> None:
    """The daemon's own words; and those of what is no daemon."""
    with pytest.raises(Unauthorized, match="this token is not known") as caught:
        await AsyncClient(daemon.url("hubbub"), "wrong", environ={}).open()
    assert caught.value.retryable is False


async def test_connections_that_are_too_many(start_daemon: StartDaemon) -> None:
    """Retryable; a patient client comes in when another one has left."""
    daemon = await start_daemon("[limits]\nprincipal_connections = 1\n")
    options = {"data_dir": daemon.data_dir}
    first = await AsyncClient(data_dir=daemon.data_dir).open()
    with pytest.raises(TooManyConnections) as caught:
        await AsyncClient(data_dir=daemon.data_dir).open()
    assert caught.value.retryable
    async with AsyncClient(data_dir=options["data_dir"], patient=True) as second:
        asked = asyncio.create_task(second.system.ping())
        await first.close()
        await asked


async def test_what_is_no_hubbub_is_named() -> None:
    """A server that answers with something else, and an address where nobody is."""

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_route("*", "/rpc", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with pytest.raises(Unreachable, match=r"answered 200 OK; is it hubbub\?"):
        await AsyncClient(url, "t", environ={}).open()
    await runner.cleanup()
    with pytest.raises(Unreachable, match="does not answer"):
        await AsyncClient(url, "t", environ={}).open()


async def test_run_is_followed_to_its_end(daemon: Daemon) -> None:
    """The turns that were, and those that come, across a kill of the daemon; then it ends."""
    async with (
        AsyncClient(data_dir=daemon.data_dir) as writer,
        AsyncClient(data_dir=daemon.data_dir) as reader,
    ):
        run = await writer.runs.start("tea", agent="ann", grace_ms=60_000)
        await writer.runs.record_turns(run.run_id, [{"output": n} for n in range(3)])
        seen: list[int] = []

        async def follow() -> None:
            async for turn in reader.runs.follow(run.run_id, cursor=1):
                seen.append(turn["output"])  # noqa: PERF401 one by one, for who looks meanwhile

        following = asyncio.create_task(follow())

        async def heard(count: int) -> None:
            async def enough() -> bool:
                return len(seen) >= count

            await eventually(enough, what=f"{count} turns")

        await heard(2)
        await writer.runs.record_turns(run.run_id, [{"output": 3}])
        await heard(3)
        daemon.kill()
        await daemon.start()
        await writer.runs.record_turns(run.run_id, [{"output": 4}, {"output": 5}])
        await writer.runs.complete(run.run_id, {"status": "success"})
        await following
        assert seen == [1, 2, 3, 4, 5]
        assert [turn["output"] async for turn in reader.runs.follow(run.run_id, cursor=4)] == [4, 5]
        with pytest.raises(NotFound):
            await anext(reader.runs.follow("none"))


async def test_answer_comes_as_it_is_said(start_daemon: StartDaemon) -> None:
    """Piece by piece; a turn without an answer raises; one that was answered gives nothing."""
    daemon = await start_daemon(MODEL)
    async with AsyncClient(data_dir=daemon.data_dir) as client:
        asked = client.chat.ask("main", "tea or cake?", idempotency_key="k")
        assert "".join([piece async for piece in asked]) == "tea or cake?"
        asked = client.chat.ask("main", "tea or cake?", idempotency_key="k")
        assert [piece async for piece in asked] == []
        with pytest.raises(TurnFailed) as caught:
            await anext(client.chat.ask("agent:dumb:main", "hm"))
        assert caught.value.reason


async def test_agents_lock_shows_what_it_works_on(daemon: Daemon) -> None:
    """Held, named in its presence, refused to others, and given back."""
    async with (
        AsyncClient(data_dir=daemon.data_dir, agent="ann") as ann,
        AsyncClient(data_dir=daemon.data_dir, agent="bo") as bo,
    ):
        issue = await ann.issues.create("Tea")
        async with ann.locks.hold(issue.id, lease_ms=3000) as held:
            known = {agent.agent: agent for agent in (await bo.agents.list()).agents}
            assert known["ann"].active_issue_id == issue.id
            with pytest.raises(LockHeld) as caught:
                async with bo.locks.hold(issue.id):
                    pass
            assert caught.value.holder == "ann"

            async def renewed() -> bool:
                return held.lock.expires_at > caught.value.expires_at

            await eventually(renewed, what="a renewal")
        async with bo.locks.hold(issue.id, wait=True, wait_ms=1000) as mine:
            assert mine.fence > held.fence


async def test_call_over_the_daemons_limit_fails_alone(start_daemon: StartDaemon) -> None:
    """The daemon closes the connection for it; it is not sent again and again, others are."""
    daemon = await start_daemon("[dialects.hubbub]\nmax_message_bytes = 1000\n")
    async with AsyncClient(data_dir=daemon.data_dir) as client:
        large = asyncio.create_task(client.topics.publish("t", "x" * 2000))
        small = [asyncio.create_task(client.topics.publish("t", n)) for n in range(5)]
        with pytest.raises(TooLarge, match=r"topics\.publish with \d+ characters"):
            await large
        await asyncio.gather(*small)
        page = await client.journal.read(topics=["t"])
        assert [event.data for event in page.events] == list(range(5))


async def test_one_client_is_one_agent(daemon: Daemon) -> None:
    """A second round of turns is refused, and the client is its own no longer afterwards."""

    async def take(_turn: Turn) -> None:
        return None

    async with AsyncClient(data_dir=daemon.data_dir, agent="ann") as ann:
        first = asyncio.create_task(ann.take_turns(take))
        await ann.system.ping()
        with pytest.raises(ClientError, match="takes turns already"):
            await ann.take_turns(take)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        again = asyncio.create_task(ann.take_turns(take))
        await ann.system.ping()
        assert not again.done()
        again.cancel()


def use(client: Client, daemon: Daemon) -> Iterator[object]:
    """Do without an event loop what the other client does with one."""
    assert client.place is not None
    yield client.place.url == daemon.url("hubbub")
    issue = client.issues.create("Tea")
    with client.locks.hold(issue.id) as held:
        yield held.fence == client.locks.list().locks[0].fence
    yield client.locks.list().locks == []
    run = client.runs.start("tea", agent="ann")
    client.runs.record_turns(run.run_id, [{"output": 1}])
    client.runs.cancel(run.run_id)
    yield [turn["output"] for turn in client.runs.follow(run.run_id)] == [1]
    yield "".join(client.chat.ask("main", "tea?")) == "tea?"
    with client.topics.follow("t").ready() as following:
        client.topics.publish("t", {"n": 1})
        event = next(following)
        yield (event.data, following.position) == ({"n": 1}, event.position)
    yield list(following) == []
    yield client.call("system.ping")["position"]["seq"] >= 1


async def test_client_without_an_event_loop(daemon: Daemon) -> None:
    """The same methods, which wait; in a program of threads."""

    def work() -> list[object]:
        with Client(data_dir=daemon.data_dir) as client:
            return list(use(client, daemon))

    done = await asyncio.to_thread(work)
    assert done == [True] * 8


async def test_blocking_client_ends_its_thread(daemon: Daemon, tmp_path: Path) -> None:
    """After use, and when nobody is there; closed twice is closed."""

    def work() -> None:
        with pytest.raises(Unreachable):
            Client(data_dir=tmp_path / "nobody", environ={}).open()
        client = Client(data_dir=daemon.data_dir).open()
        client.close()
        client.close()
        with pytest.raises(Closed):
            client.system.ping()
        assert "hubbub" not in [thread.name for thread in threading.enumerate()]

    await asyncio.to_thread(work)


async def test_blocking_client_does_not_wait_for_itself(daemon: Daemon) -> None:
    """What it calls in its own thread gets an error rather than to wait for ever."""

    def work() -> list[ClientError]:
        errors: list[ClientError] = []
        with Client(data_dir=daemon.data_dir) as client:

            def ask(_resumed: Resumed) -> None:
                try:
                    client.system.ping()
                except ClientError as error:
                    errors.append(error)

            client.topics.follow("t", on_resumed=ask).ready()
        return errors

    (error,) = await asyncio.to_thread(work)
    assert "cannot be waited for" in str(error)


async def test_blocking_agent_takes_turns(daemon: Daemon) -> None:
    """Each in a thread; what it says after an abort raises there and goes nowhere."""
    held, aborted = threading.Event(), threading.Event()

    def take(turn: BlockingTurn) -> str | None:
        if turn.message == "fail":
            turn.fail("as you wish")
        elif turn.message == "answer":
            turn.tool({"phase": "start", "name": "kettle"})
            turn.answer("yes", model="tin")
            assert turn.is_over
        else:
            turn.say("Well, ")
            held.wait(60)
            try:
                turn.say("no")
            except TurnFailed:
                aborted.set()
        return None

    agent = await asyncio.to_thread(Client(data_dir=daemon.data_dir, agent="ann").open)
    taking = asyncio.create_task(asyncio.to_thread(agent.take_turns, take))
    try:
        await talk_to(daemon, held, aborted)
    finally:
        held.set()
        await asyncio.to_thread(agent.close)
    await taking


async def talk_to(daemon: Daemon, held: threading.Event, aborted: threading.Event) -> None:
    """Let the agent answer, fail, and be aborted."""
    session = "agent:ann:main"
    async with AsyncClient(data_dir=daemon.data_dir) as person:

        async def answered() -> str:
            try:
                return "".join([piece async for piece in person.chat.ask(session, "answer")])
            except TurnFailed as error:
                assert "is not attached" in error.reason  # noqa: PT017 not yet
                return ""

        assert await eventually(answered, what="an answer") == "yes"
        with pytest.raises(TurnFailed, match="as you wish"):
            await anext(person.chat.ask(session, "fail"))
        pieces = person.chat.ask(session, "take your time")
        assert await anext(pieces) == "Well, "
        await person.chat.abort(session)
        held.set()
        assert await asyncio.to_thread(aborted.wait, 60)
        with pytest.raises(TurnFailed):
            await anext(pieces)
