"""`system.health`: what it shows, against what was done."""

import os
from typing import Any

from tests.blackbox.crowd import read_again, stop_reading
from tests.clients.guests import Guests
from tests.clients.http import HttpClient
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.conftest import StartDaemon
from tests.daemon import DOORS, Daemon


Health = dict[str, Any]
SHOWN = {
    "version",
    "started_at",
    "now",
    "ready",
    "reasons",
    "position",
    "store",
    "latency",
    "listeners",
    "connections",
    "bus",
    "limits",
}


async def health(rpc: RpcSocket) -> Health:
    """Ask."""
    shown: Health = await rpc.call("system.health")
    return shown


def used(shown: Health, limit: str) -> Any:
    """Give what is used of a limit."""
    (found,) = [row["used"] for row in shown["limits"] if row["name"] == limit]
    return found


async def test_figures_of_a_quiet_daemon(daemon: Daemon, guests: Guests) -> None:
    """All that the interface names is there, and agrees with what else the daemon says."""
    rpc = await guests.rpc(daemon)
    position = (await rpc.publish("t", 1))["position"]

    shown = await health(rpc)

    assert set(shown) == SHOWN
    assert (shown["ready"], shown["reasons"]) == (True, [])
    assert shown["position"] == position or shown["position"]["seq"] > 0
    assert shown["started_at"] < shown["now"]
    store = shown["store"]
    assert store["healthy"]
    files = [daemon.data_dir / f"hubbub.db{end}" for end in ("", "-wal", "-shm")]
    assert store["bytes"] == sum(file.stat().st_size for file in files)
    free = os.statvfs(daemon.data_dir)
    assert 0 < store["free_bytes"] <= free.f_blocks * free.f_frsize
    assert store["units"] >= store["commits"] > 0
    assert store["commit_ms_mean"] > 0
    assert store["commit_ms_p99"] > 0
    assert shown["latency"]["answer_ms_p99"] >= shown["latency"]["answer_ms_p50"] > 0
    assert [listener["name"] for listener in shown["listeners"]] == list(DOORS)
    assert [listener["url"] for listener in shown["listeners"]] == [daemon.url(d) for d in DOORS]
    assert shown["bus"].keys() == {"subscribers", "lagging", "lags", "events"}


async def test_store_in_memory_has_a_size_and_no_disk(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """Its figures are told as those of a file are."""
    daemon = await start_daemon(args=["--ephemeral"])

    store = (await health(await guests.rpc(daemon)))["store"]

    assert store["bytes"] > 0
    assert store["free_bytes"] is None


async def test_connections_say_who_is_there(daemon: Daemon, guests: Guests) -> None:
    """WebSockets and event streams of all doors, the newest first; who leaves is gone."""
    rpc = await guests.rpc(daemon)
    before = (await health(rpc))["now"]
    x0x = await guests.x0x_socket(daemon)
    car = await guests.car_agent(daemon, "ann", await daemon.agent_token("ann"))
    async with HttpClient(daemon.url("hubbub"), daemon.token) as client:
        stream = await client.events("/events?topics=quiet")
        await stream.next()

        shown = await health(rpc)

        rows = shown["connections"]
        assert [row["door"] for row in rows] == ["hubbub", "car", "x0x", "hubbub"]
        assert [row["principal"] for row in rows] == [
            "operator",
            "agent:ann",
            "operator",
            "operator",
        ]
        assert [row["agent"] for row in rows] == [None, "ann", None, None]
        assert len({row["id"] for row in rows}) == 4
        assert all(before - 1000 <= row["since"] <= shown["now"] for row in rows)
        assert not any(row["lagging"] or row["queued_frames"] or row["dropped"] for row in rows)
    counts = {listener["name"]: listener["connections"] for listener in shown["listeners"]}
    assert counts == {"hubbub": 2, "x0x": 1, "crosslink": 0, "car": 1, "openclaw": 0}
    await x0x.close()
    await car.close()

    async def is_alone() -> bool:
        return len((await health(rpc))["connections"]) == 1

    await eventually(is_alone, what="the end of the others")


async def test_connection_without_a_name_yet(daemon: Daemon, guests: Guests) -> None:
    """A socket that authenticates by messages is there before it has said who it is."""
    rpc = await guests.rpc(daemon)
    await guests.car(daemon, auth=False)

    (row,) = [row for row in (await health(rpc))["connections"] if row["door"] == "car"]

    assert (row["principal"], row["agent"]) == (None, None)


async def test_slow_reader_is_seen(daemon: Daemon, guests: Guests) -> None:
    """What waits for it, and that it reads the store; once it has read all of it, it is not."""
    rpc, slow = await guests.rpc(daemon), await guests.rpc(daemon)
    await slow.subscribe("flood")
    stop_reading(slow)
    text = "x" * 100_000
    for _ in range(400):
        await rpc.publish("flood", text)

    shown = await health(rpc)

    mine, its = sorted(shown["connections"], key=lambda row: bool(row["queued_bytes"]))
    assert (mine["lagging"], mine["queued_frames"]) == (False, 0)
    assert its["lagging"]
    assert its["queued_frames"] > 0
    assert its["queued_bytes"] > 1_000_000
    assert shown["listeners"][0]["queued_bytes"] == its["queued_bytes"]
    assert (shown["bus"]["lagging"], shown["bus"]["lags"]) == (1, 1)
    read_again(slow)
    for _ in range(400):
        await slow.event("flood")
        slow.seen.clear()

    async def has_caught_up() -> bool:
        later = await health(rpc)
        return not any(row["lagging"] for row in later["connections"])

    await eventually(has_caught_up, what="the end of its lag")


async def test_losses_are_counted_after_their_connection(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """Frames dropped stay in the sum of the listener when the slow client has gone."""
    daemon = await start_daemon("[dialects.x0x]\nkeepalive_s = 600\n")
    rpc, slow = await guests.rpc(daemon), await guests.x0x_socket(daemon)
    await slow.subscribe("flood")
    stop_reading(slow)
    for _ in range(400):
        await rpc.publish("flood", "x" * 100_000)
    shown = await health(rpc)
    (row,) = [row for row in shown["connections"] if row["door"] == "x0x"]
    assert row["dropped"] == shown["listeners"][1]["dropped"] > 0
    slow.drop()

    async def has_gone() -> bool:
        return len((await health(rpc))["connections"]) == 1

    await eventually(has_gone, what="the end of the slow client")
    assert (await health(rpc))["listeners"][1]["dropped"] >= row["dropped"]


async def test_slow_client_that_is_closed_is_counted(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """Where the door closes who does not keep up, its listener says how often."""
    daemon = await start_daemon()
    rpc, slow = await guests.rpc(daemon), await guests.openclaw(daemon)
    send = {"session": "main", "message": "hi", "idempotency_key": "k"}
    await rpc.call("chat.send", send)
    stop_reading(slow)

    async def is_closed() -> bool:
        for _ in range(20):
            await rpc.call("chat.inject", {"session": "main", "message": "x" * 500_000})
        return bool((await health(rpc))["listeners"][4]["slow_closes"])

    await eventually(is_closed, what="the close of the slow client")


async def test_requests_and_refusals_are_counted(daemon: Daemon, guests: Guests) -> None:
    """By the listener that they came to."""
    rpc = await guests.rpc(daemon)
    before = (await health(rpc))["listeners"][1]
    async with HttpClient(daemon.url("x0x"), daemon.token) as client:
        for _ in range(3):
            await client.request("GET", "/status")

    after = (await health(rpc))["listeners"][1]

    assert after["requests"] - before["requests"] == 3
    assert after["refused"] == 0


async def test_limits_with_their_present_use(start_daemon: StartDaemon, guests: Guests) -> None:
    """Every limit has its setting's name, its value and a unit; what is counted is right."""
    daemon = await start_daemon("[limits]\nprincipal_connections = 5\n")
    rpc = await guests.rpc(daemon)
    for _ in range(2):
        await guests.rpc(daemon, await daemon.agent_token("ann"))
    async with HttpClient(daemon.url("x0x"), daemon.token) as client:
        assert (await client.request("POST", "/auth/session")).status == 200
    made = await rpc.call("tokens.ticket")
    await rpc.call("tokens.redeem", {"ticket": made["ticket"]})
    await rpc.call("issues.create", {"title": "a"})
    await rpc.call("locks.claim", {"issue_id": 1, "agent": "ann"})
    await rpc.call("reservations.claim", {"paths": ["a"], "agent": "ann"})
    wait = {"issue_id": 1, "agent": "bo", "wait": True, "wait_ms": 60_000}
    waiting = await rpc.post("locks.claim", wait)

    async def waits() -> bool:
        return bool(used(await health(rpc), "waits.max_waiting") == 1)

    await eventually(waits, what="the wait")
    shown = await health(rpc)

    rows = {row["name"]: row for row in shown["limits"]}
    assert rows["limits.principal_connections"]["value"] == 5
    assert rows["limits.principal_connections"]["unit"] == "connections"
    assert used(shown, "limits.principal_connections") == 2
    assert used(shown, "limits.listener_connections") >= 3
    assert used(shown, "limits.remote_connections") >= 3
    assert used(shown, "limits.session_tokens") == 1
    assert used(shown, "limits.browser_tokens") == 1
    assert used(shown, "reservations.max_held") == 1
    assert used(shown, "presence.max_agents") >= 1
    assert used(shown, "chat.max_turns") == 0
    assert used(shown, "limits.messages_per_s") is None
    assert all(row["unit"] for row in rows.values())
    await rpc.call("locks.release", {"issue_id": 1, "agent": "ann", "fence": 1})
    assert (await rpc.result(waiting))["result"]["fence"] == 2


async def test_turns_that_run_and_wait_are_counted(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """Those that run of all sessions, and those that wait in the fullest."""
    config = '[agents.main]\nrunner = "command"\ncommand = ["sleep", "60"]\n'
    daemon = await start_daemon(config)
    rpc = await guests.rpc(daemon)
    for number, session in enumerate(("a", "a", "a", "b")):
        send = {"session": session, "message": "hi", "idempotency_key": f"k{number}"}
        await rpc.call("chat.send", send)

    async def run() -> bool:
        return bool(used(await health(rpc), "chat.max_turns") == 2)

    await eventually(run, what="both turns")
    assert used(await health(rpc), "chat.max_waiting_turns") == 2
    for session in ("a", "b"):
        await rpc.call("chat.abort", {"session": session})


async def test_reader_may_see_the_figures_and_nobody_else(daemon: Daemon, guests: Guests) -> None:
    """They name who is here, so a token is needed; they change nothing, so the least is enough."""
    reader = await daemon.hubbub("token", "new", "--agent", "eve", "--scope", "read")
    assert (await health(await guests.rpc(daemon, reader.strip())))["ready"]
    async with HttpClient(daemon.url("hubbub")) as client:
        call = {"jsonrpc": "2.0", "id": 1, "method": "system.health"}
        assert (await client.request("POST", "/rpc", call)).status == 401
