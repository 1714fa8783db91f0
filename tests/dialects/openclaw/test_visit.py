"""A client that comes back: what it is told again, in which order, and what it is not."""

import asyncio
from typing import Any

import pytest

from hubbub.core.values import OPERATOR
from hubbub.dialects.openclaw.settings import OpenclawSettings
from hubbub.errors import StoreUnavailable
from tests.dialects.openclaw.clients import TOKEN, Frame, Key, connect_params
from tests.dialects.openclaw.house import Guest, House


def tui(name: str = "i") -> dict[str, Any]:
    """Give a terminal client that names its instance."""
    client = {"id": "gateway-client", "version": "1", "platform": "linux", "mode": "ui"}
    return {"client": {**client, "instanceId": name}}


def message(key: str, text: str = "hello", session: str = "main") -> Frame:
    """Give the parameters of ``chat.send``."""
    return {"sessionKey": session, "message": text, "idempotencyKey": key}


def told(guest: Guest) -> list[tuple[str, str]]:
    """Give run and state of all chat events so far."""
    frames = [frame for frame in guest.outbox.messages if frame.get("event") == "chat"]
    return [(frame["payload"]["runId"], frame["payload"]["state"]) for frame in frames]


async def away(house: House, guest: Guest) -> None:
    """Let a client go, and what it leaves be stored."""
    await guest.leave()
    await house.hub.journal.settled()


async def back(house: House, token: str = TOKEN, **changes: Any) -> Guest:
    """Let a client come, and hear what it missed."""
    guest = await house.guest(token, **(changes or tui()))
    await house.hub.journal.settled()
    return guest


async def end(house: House, guest: Guest, key: str) -> None:
    """Have a turn taken to its end by someone who stays."""
    await guest.call("chat.send", message(key))
    await house.agent.say(key, "yes")
    await house.agent.finish(key)
    await guest.event("chat", runId=key, state="final")


async def test_each_kind_of_end_is_told_as_it_would_have_been(house: House, guest: Guest) -> None:
    """Final with its message, error with its text, abort with its reason, note and message."""
    await away(house, await back(house))
    await end(house, guest, "k1")
    await guest.call("chat.send", message("k2"))
    await house.agent.fail("k2", "no")
    await guest.event("chat", runId="k2", state="error")
    await guest.call("chat.send", message("k3"))
    await guest.call("chat.abort", {"sessionKey": "main"})
    await guest.call("chat.inject", {"sessionKey": "main", "message": "note"})
    house.hub.identities.agent_id("ann")
    await house.hub.direct.send(OPERATOR, "ann", "aGk=")

    again = await back(house)
    payloads = [(await again.event("chat"))["state"] for _ in range(5)]
    assert payloads == ["final", "error", "aborted", "final", "final"]
    frames = [f["payload"] for f in again.outbox.messages if f.get("event") == "chat"]
    assert [frame["runId"] for frame in frames[:3]] == ["k1", "k2", "k3"]
    assert frames[0]["message"]["content"][0]["text"] == "yes"
    assert (frames[1]["errorMessage"], frames[2]["stopReason"]) == ("no", "rpc")
    assert [frame["runId"].partition("-")[0] for frame in frames[3:]] == ["inject", "direct"]
    assert {frame["sessionKey"] for frame in frames[:3]} == {"main"}


async def test_agent_is_told_its_own_direct_messages_alone(house: House, guest: Guest) -> None:
    """What an agent may not read it has not missed."""
    token = await house.hub.access.create(OPERATOR, "ann")
    house.hub.identities.agent_id("ann")
    house.hub.identities.agent_id("bo")
    await away(house, await back(house, token, **tui()))
    for recipient in ("bo", "ann"):
        await house.hub.direct.send(OPERATOR, recipient, "aGk=")
    await house.hub.direct.send(OPERATOR, "bo", "aG8=")
    again = await back(house, token, **tui())
    await end(house, guest, "live")
    await again.event("chat", runId="live", state="final")
    assert [run.partition("-")[0] for run, state in told(again) if state != "delta"] == [
        "direct",
        "live",
    ]


async def test_live_events_wait_behind_the_missed_ones(house: House, guest: Guest) -> None:
    """What happens while the past is read comes after it; nothing comes twice."""
    await away(house, await back(house))
    await end(house, guest, "missed")
    again = await house.guest(TOKEN, **tui())
    await end(house, guest, "live")
    await again.event("chat", runId="live", state="final")
    assert [pair for pair in told(again) if pair[1] != "delta"] == [
        ("missed", "final"),
        ("live", "final"),
    ]


async def test_device_is_known_again(house: House, guest: Guest) -> None:
    """A browser names no instance; its device says that it is the same."""
    key = Key()

    async def page() -> Guest:
        guest = house.knock()
        challenge = (await guest.next())["payload"]
        client = {"id": "clawdbot-control-ui", "version": "dev", "platform": "x", "mode": "webchat"}
        params = connect_params(client=client)
        params["device"] = key.device(params, nonce=challenge["nonce"], signed_at=house.hub.clock())
        guest.send({"type": "req", "id": "c", "method": "connect", "params": params})
        hello = await guest.until(lambda frame: frame.get("id") == "c")
        assert hello["ok"] is True, hello
        await house.hub.journal.settled()
        return guest

    await away(house, await page())
    await end(house, guest, "missed")
    again = await page()
    await again.event("chat", runId="missed", state="final")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"client": {**tui()["client"], "mode": "cli"}},
        {**tui(), "role": "node"},
    ],
)
async def test_who_is_nobody_in_particular_is_not_remembered(
    house: House, guest: Guest, changes: dict[str, Any]
) -> None:
    """Without instance or device, from the command line, and as a node."""
    await away(house, await back(house, TOKEN, **{**connect_params(), **changes}))
    await end(house, guest, "away")
    again = await back(house, TOKEN, **{**connect_params(), **changes})
    await end(house, guest, "live")
    await again.event("chat", runId="live", state="final")
    assert [run for run, state in told(again) if state != "delta"] == ["live"]


class TestDelayedEnds:
    """The last event of a run may be told a moment after it was stored."""

    @pytest.fixture
    def settings(self) -> OpenclawSettings:
        """Delay ends for long enough to come between."""
        return OpenclawSettings(final_delay_ms=1000)

    async def test_end_that_is_due_is_told_once(self, house: House, guest: Guest) -> None:
        """A client that comes back before the moment is over hears it then, not from the past."""
        await away(house, await back(house))
        await guest.call("chat.send", message("k"))
        await house.agent.finish("k")
        await guest.until(lambda f: f.get("payload", {}).get("data", {}).get("phase") == "end")
        again = await house.guest(TOKEN, **tui())
        await house.hub.journal.settled()
        await again.call("chat.history", {"sessionKey": "main"})
        assert told(again) == []
        house.timers.advance(2.0)
        await again.event("chat", runId="k", state="final")
        assert told(again) == [("k", "final")]


async def test_client_that_leaves_before_it_was_told_is_told_later(
    house: House, guest: Guest
) -> None:
    """Its position is taken and given back: the next connection has the same past."""
    await away(house, await back(house))
    await end(house, guest, "missed")
    hasty = await house.guest(TOKEN, **tui())
    await away(house, hasty)
    assert told(hasty) == []
    again = await back(house)
    await again.event("chat", runId="missed", state="final")


async def test_past_that_cannot_be_read_is_left_out(
    house: House, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client hears what happens from now on; nothing of it is lost."""
    await away(house, await back(house))
    await end(house, guest, "missed")
    rows = house.hub.store.rows

    async def broken(query: str, /, **values: object) -> Any:
        if query == "openclaw_missed":
            message = "disk"
            raise StoreUnavailable(message)
        return await rows(query, **values)

    monkeypatch.setattr(house.hub.store, "rows", broken)
    again = await back(house)
    await end(house, guest, "live")
    await again.event("chat", runId="live", state="final")
    assert [run for run, state in told(again) if state != "delta"] == ["live"]


class TestLongMoments:
    """What happens is held back behind the past, but not without bounds."""

    @pytest.fixture
    def settings(self) -> OpenclawSettings:
        """Hold next to nothing."""
        return OpenclawSettings(final_delay_ms=0, max_buffered_bytes=10)

    async def test_too_much_that_waits_goes_before_a_past_that_is_slow(
        self, house: House, guest: Guest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The client goes on live, and is not told the past out of order."""
        await away(house, await back(house))
        await end(house, guest, "missed")
        rows, slow = house.hub.store.rows, asyncio.Event()

        async def slowly(query: str, /, **values: object) -> Any:
            if query == "openclaw_missed":
                await slow.wait()
            return await rows(query, **values)

        monkeypatch.setattr(house.hub.store, "rows", slowly)
        again = await back(house)
        await end(house, guest, "live")
        await again.event("chat", runId="live", state="final")
        slow.set()
        await end(house, guest, "later")
        await again.event("chat", runId="later", state="final")
        runs = [run for run, state in told(again) if state != "delta"]
        assert runs == ["live", "later"]
