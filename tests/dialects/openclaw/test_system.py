"""How the gateway is, runs that are waited for, and what there is none of."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from hubbub.core.runs.run import StartRun
from hubbub.core.values import OPERATOR
from hubbub.dialects.base import Request
from hubbub.dialects.openclaw.absent import ANSWERS, STAMPED
from hubbub.dialects.openclaw.settings import OpenclawSettings
from hubbub.dialects.openclaw.turns import MAX_OUTCOMES, Outcome, Outcomes
from hubbub.errors import InvalidRequest
from tests.dialects.openclaw.clients import NOW_MS, Frame
from tests.dialects.openclaw.conftest import ManualClock
from tests.dialects.openclaw.house import Guest, House


def is_event(name: str) -> Callable[[Frame], bool]:
    """Match events by name."""
    return lambda frame: frame.get("event") == name


async def test_health_and_status_count_sessions(guest: Guest) -> None:
    """Both tell how many sessions there are, of whom, and which changed last."""
    await guest.call("sessions.patch", {"key": "main", "thinkingLevel": "low"})
    health = await guest.call("health", {"probe": True})
    assert (health["ok"], health["defaultAgentId"], health["ts"]) == (True, "main", NOW_MS)
    assert health["sessions"]["count"] == 1
    assert health["agents"][0]["sessions"]["recent"][0]["key"] == "agent:main:main"
    status = await guest.call("status")
    assert status["sessions"]["count"] == 1
    assert status["sessions"]["recent"][0]["flags"] == ["think:low"]
    assert status["sessions"]["byAgent"][0]["agentId"] == "main"
    assert status["sessions"]["defaults"]["model"] == "test-model"


async def test_models_are_those_of_the_agents(guest: Guest) -> None:
    """The configured models are listed, once each."""
    (model,) = (await guest.call("models.list"))["models"]
    assert model == {"id": "test-model", "name": "test-model", "provider": "openai"}


@pytest.mark.parametrize("method", [*ANSWERS, *STAMPED])
async def test_what_hubbub_has_not_got(guest: Guest, method: str) -> None:
    """Each of these answers in its shape that there is none, and refuses odd parameters."""
    payload = await guest.call(method)
    if method in STAMPED:
        assert payload.pop("ts") == NOW_MS
        assert payload == STAMPED[method][1]
    else:
        assert payload == ANSWERS[method][1]
    assert "unexpected property 'odd'" in await guest.refused(method, {"odd": 1})


async def test_door_ticks_and_looks_at_its_health(house: House, guest: Guest) -> None:
    """The health is told at the start and when someone comes; it rides with its version."""
    work = asyncio.create_task(house.dialect.run())
    try:
        first = await guest.until(is_event("health"))
        house.timers.advance(1)
        other = house.knock()
        await guest.call("node.list")
        await house.guest("t" * 64)
        second = await guest.until(is_event("health"))
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    assert first["payload"]["ok"] is True
    assert second["stateVersion"]["health"] == first["stateVersion"]["health"] + 1
    assert len(other.outbox.messages) == 1


class TestClock:
    """What the door does by itself, at a pace that a test can wait for."""

    @pytest.fixture
    def settings(self) -> OpenclawSettings:
        """Give a door that ticks at once."""
        return OpenclawSettings(tick_interval_ms=1, health_interval_ms=1)

    async def test_tick_and_health_come_again_and_again(
        self, house: House, guest: Guest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ticks go on, also while the health cannot be found out."""
        work = asyncio.create_task(house.dialect.run())
        try:
            for _ in range(2):
                await guest.until(is_event("health"))
                await guest.until(is_event("tick"))

            async def fail(_wanted: object) -> None:
                message = "no list today"
                raise InvalidRequest(message)

            monkeypatch.setattr(house.hub.chat.sessions, "list", fail)
            for _ in range(3):
                await guest.until(is_event("tick"))
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work


async def test_turn_that_goes_on_leaves_no_timer(house: House, guest: Guest) -> None:
    """When the door stops, what was due for a running turn is forgotten."""
    params = {"sessionKey": "main", "message": "m", "idempotencyKey": "k1"}
    await guest.call("chat.send", params)
    for text in "ab":
        await house.agent.say("k1", text)
        while text not in house.hub.chat.running()[0].text:
            await guest.call("health")
    work = asyncio.create_task(house.dialect.run())
    await guest.until(is_event("health"))
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    assert house.timers.waiting == 0


async def test_page_says_what_this_is(house: House) -> None:
    """A browser that looks here is told; other paths and methods are refused as HTTP does."""
    (route,) = house.dialect.routes
    page = await route.handler(Request(method="GET", path="/"))
    assert b"WebSocket" in page.body  # type: ignore[union-attr]
    missing = await route.handler(Request(method="GET", path="/avatar/main"))
    assert missing.status == 404  # type: ignore[union-attr]
    dialect, request = house.dialect, Request(method="POST", path="/")
    assert dialect.missing(request, ["GET"]).status == 405
    assert dialect.refuse(InvalidRequest("odd")).status == 400
    assert dialect.cors("https://example.org") == {}
    assert dialect.authenticate(request) is None


class TestWaiting:
    """``agent`` and ``agent.wait``."""

    async def test_run_of_another_door_can_be_waited_for(self, house: House, guest: Guest) -> None:
        """A run that ends elsewhere answers who waits; one that ended long ago does at once."""
        new = StartRun(
            agent="builder", intent="x", client="c", source="car", on_disconnect="continue"
        )
        run = await house.hub.runs.start(OPERATOR, new)
        request_id = guest.request("agent.wait", {"runId": run.run_id, "timeoutMs": 60_000})
        await house.hub.runs.cancel(OPERATOR, run.run_id)
        answer = await guest.until(lambda frame: frame.get("id") == request_id)
        assert answer["payload"]["status"] == "error"
        house.dialect._feed.outcomes._ended.clear()  # noqa: SLF001 as after ten minutes
        again = await guest.call("agent.wait", {"runId": run.run_id})
        assert again["status"] in {"error", "timeout"}

    async def test_unknown_run_times_out(self, guest: Guest) -> None:
        """A run that nobody knows may still come; the wait ends by its own time."""
        answer = await guest.call("agent.wait", {"runId": "none", "timeoutMs": 1})
        assert answer == {"runId": "none", "status": "timeout"}

    async def test_aborted_run_is_a_timeout(self, house: House, guest: Guest) -> None:
        """An aborted turn answers its waiter with `timeout`, and its caller with a failure."""
        request_id = guest.request("agent", {"message": "m", "idempotencyKey": "k1"})
        await house.agent.began("k1")
        wait = guest.request("agent.wait", {"runId": "k1"})
        guest.request("chat.abort", {"sessionKey": "main", "runId": "k1"})
        answers = [await guest.until(lambda f: f["type"] == "res") for _ in range(4)]
        # The first of the four said that the turn was accepted.
        by_id = {answer["id"]: answer for answer in answers}
        assert by_id[wait]["payload"] == {"runId": "k1", "status": "timeout"}
        assert by_id[request_id]["ok"] is False
        assert by_id[request_id]["payload"]["summary"] == "aborted"

    async def test_failed_turn_fails_its_caller(self, house: House, guest: Guest) -> None:
        """The second answer of `agent` tells the failure; so does every repeat."""
        params = {"message": "m", "idempotencyKey": "k1", "sessionKey": "main"}
        guest.request("agent", params)
        await house.agent.fail("k1", "no fuel")
        await guest.event("chat", state="error")
        answer = await guest.next()
        error = {"code": "UNAVAILABLE", "message": "no fuel"}
        assert (answer["error"], answer["payload"]["status"]) == (error, "error")
        assert (await guest.answer("agent", params))["error"] == error
        waited = await guest.call("agent.wait", {"runId": "k1"})
        assert (waited["status"], waited["error"]) == ("error", "no fuel")

    async def test_session_of_a_turn(self, house: House, guest: Guest) -> None:
        """A session may be named by its id; an unknown id is named in the refusal."""
        entry = (await guest.call("sessions.patch", {"key": "desk", "label": "d"}))["entry"]
        named = {"message": "m", "idempotencyKey": "k1", "sessionId": entry["sessionId"]}
        guest.request("agent", named)
        await house.agent.finish("k1")
        assert (await guest.event("chat", runId="k1"))["sessionKey"] == "agent:main:desk"
        refused = await guest.refused("agent", {**named, "sessionId": "x", "idempotencyKey": "k2"})
        assert refused == "No session found: x"

    async def test_stop_word_is_no_turn(self, guest: Guest) -> None:
        """A stop word is answered as such."""
        answer = await guest.call("agent", {"message": "stop", "idempotencyKey": "k1"})
        assert answer == {"ok": True, "aborted": False, "runIds": []}


async def test_outcomes_are_forgotten(clock: ManualClock) -> None:
    """An ended run is remembered for its time, and not beyond a bound in number."""
    outcomes = Outcomes(clock, 1_000)
    outcomes.put(Outcome(run_id="a", status="ok"))
    clock.now += 999
    assert outcomes.get("a") is not None
    clock.now += 1
    assert outcomes.get("a") is None
    for n in range(MAX_OUTCOMES + 1):
        outcomes.put(Outcome(run_id=f"r{n}", status="ok"))
    assert outcomes.get("r0") is None
    assert outcomes.get("r1") is not None


async def test_waiter_that_gives_up_leaves_the_others(clock: ManualClock) -> None:
    """Two may wait for one run; the one that goes does not take the answer along."""
    outcomes = Outcomes(clock, 1_000)
    impatient = asyncio.create_task(outcomes.wait("a", None))
    patient = asyncio.create_task(outcomes.wait("a", None))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    outcomes.put(Outcome(run_id="a", status="ok"))
    found = await patient
    assert found is not None
    assert found.status == "ok"
    assert (await outcomes.wait("a", None)) == found
