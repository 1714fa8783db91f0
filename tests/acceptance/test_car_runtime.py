"""The `car-runtime` wheels of two protocol generations, unmodified, against the CAR door."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clients import clean_environment
from tests.clients.car import SUCCESS, CarSocket
from tests.clients.waiting import PATIENCE_S, eventually
from tests.daemon import Daemon


pytestmark = pytest.mark.acceptance

DRIVER = Path(__file__).parent / "drivers" / "car.py"


class CarClient:
    """A process that uses one version of the package."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(
        cls, package: Path, home: Path, daemon: Daemon, **variables: str
    ) -> "CarClient":
        """Start the driver with the variables that a user exports: address and token."""
        exported = {"CAR_DAEMON_URL": daemon.ws_url("car")}
        exported |= variables or {"CAR_AUTH_TOKEN": daemon.token}
        environment = clean_environment(home, PYTHONPATH=str(package), **exported)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(DRIVER), stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        )
        return cls(process)

    async def outcome(self, method: str, params: object) -> dict[str, Any]:
        """Make one call of the package and return what came of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([method, params]).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        assert line, f"the client ended: {await self.errors()}"
        outcome: dict[str, Any] = json.loads(line)
        return outcome

    async def call(self, method: str, params: object) -> Any:
        """Make one call that must succeed and return its result."""
        outcome = await self.outcome(method, params)
        assert "error" not in outcome, f"{method} raised {outcome['error']}"
        return outcome["result"]

    async def leave(self) -> str:
        """End the script as scripts end, and return what it wrote to standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.errors()

    async def crash(self) -> None:
        """Kill the process."""
        self.process.kill()
        await self.process.wait()

    async def errors(self) -> str:
        """Wait for the end and return standard error."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            text = await self.process.stderr.read()
            await self.process.wait()
        return text.decode()


StartClient = Callable[..., Any]


@pytest.fixture
async def start_client(tmp_path: Path) -> AsyncIterator[StartClient]:
    """Start clients that are ended with the test."""
    started: list[CarClient] = []

    async def start(package: Path, daemon: Daemon, **variables: str) -> CarClient:
        client = await CarClient.start(package, tmp_path / "home", daemon, **variables)
        started.append(client)
        return client

    yield start
    for client in started:
        if client.process.returncode is None:
            await client.crash()
        # Closes the pipes while the loop still runs.
        await client.process.communicate()


async def test_completed_run_is_kept_as_completed(
    car_runtime: Path, daemon: Daemon, start_client: StartClient
) -> None:
    """A run that the package starts and completes reads as completed through the host token."""
    client = await start_client(car_runtime, daemon)

    run = await client.call("runs_start", {"intent": "tidy up", "agent_id": "tidy"})
    done = await client.call("runs_complete", {"run_id": run["run_id"], "outcome": SUCCESS})
    errors = await client.leave()

    assert done == {"run_id": run["run_id"], "ok": True}
    assert errors == ""
    async with await CarSocket.connect_host(daemon) as host:
        [summary] = await host.runs("tidy")
        assert (summary["run_id"], summary["status"]) == (run["run_id"], "completed")
        [ending] = await host.endings(run["run_id"])
        assert (ending["status"], ending["summary"]) == ("success", SUCCESS["summary"])


@pytest.mark.parametrize("end", ["leave", "crash"])
async def test_dropped_run_becomes_incomplete(
    car_runtime: Path, daemon: Daemon, start_client: StartClient, end: str
) -> None:
    """A run whose process ends without completing it reads as incomplete, once."""
    client = await start_client(car_runtime, daemon)
    first = await client.call("runs_start", {"intent": "one", "agent_name": "Bulldozer Agent"})
    await client.call("runs_complete", {"run_id": first["run_id"], "outcome": {"status": "done"}})
    second = await client.call("runs_start", {"intent": "two", "agent_name": "Bulldozer Agent"})

    await getattr(client, end)()

    assert first["agent_id"] == second["agent_id"] == "name:bulldozer-agent"
    async with await CarSocket.connect_host(daemon) as host:

        async def both_ended() -> bool:
            return all(run["status"] != "in_progress" for run in await host.runs(first["agent_id"]))

        await eventually(both_ended, what="the end of the dropped run")
        runs = await host.runs(first["agent_id"])
        assert [(run["run_id"], run["status"]) for run in runs] == [
            (second["run_id"], "incomplete"),
            (first["run_id"], "completed"),
        ]
        assert len(await host.endings(second["run_id"])) == 1


async def test_same_key_gives_same_run(
    car_runtime: Path, daemon: Daemon, start_client: StartClient
) -> None:
    """A start that is repeated with its idempotency key is answered with the first run."""
    client = await start_client(car_runtime, daemon)
    start = {"intent": "once", "agent_id": "once", "idempotency_key": "k-1"}

    first = await client.call("runs_start", start)
    again = await client.call("runs_start", start)

    assert first["run_id"] == again["run_id"]
    async with await CarSocket.connect_host(daemon) as host:
        assert len(await host.runs("once")) == 1


async def test_runs_survive_the_daemon(
    car_runtime: Path, daemon: Daemon, start_client: StartClient
) -> None:
    """After SIGKILL of the daemon a completed run is there and an open one reads incomplete."""
    client = await start_client(car_runtime, daemon)
    first = await client.call("runs_start", {"intent": "one", "agent_id": "kept"})
    await client.call("runs_complete", {"run_id": first["run_id"], "outcome": SUCCESS})
    second = await client.call("runs_start", {"intent": "two", "agent_id": "kept"})

    await daemon.restart()

    async with await CarSocket.connect_host(daemon) as host:
        statuses = {run["run_id"]: run["status"] for run in await host.runs("kept")}
    assert statuses == {first["run_id"]: "completed", second["run_id"]: "incomplete"}


async def test_wrong_token_is_refused(
    car_runtime: Path, daemon: Daemon, start_client: StartClient
) -> None:
    """A client with a wrong token gets an error from its first call, and nothing is recorded."""
    client = await start_client(car_runtime, daemon, CAR_AUTH_TOKEN="not-the-token")

    outcome = await client.outcome("runs_start", {"intent": "no", "agent_id": "stranger"})

    assert "auth failed" in outcome["error"]["message"]
    async with await CarSocket.connect_host(daemon) as host:
        assert await host.runs("stranger") == []


async def test_printed_variables_are_all_it_needs(
    car_runtime: Path, daemon: Daemon, start_client: StartClient
) -> None:
    """With what `hubbub env car` prints, and nothing else, the package works, without warnings."""
    variables = json.loads(await daemon.hubbub("env", "car", "--json"))
    client = await start_client(car_runtime, daemon, **variables)

    run = await client.call("runs_start", {"intent": "look", "agent_id": "pointed"})

    assert run["agent_id"] == "pointed"
    assert await client.leave() == ""


async def test_agent_token_binds_the_client(
    car_runtime: Path, daemon: Daemon, start_client: StartClient
) -> None:
    """With an agent's own token the agent needs no naming and cannot act as another."""
    # The older package knows only this variable; the newer one has two more, as below.
    token = await daemon.agent_token("alice")
    client = await start_client(car_runtime, daemon, CAR_AUTH_TOKEN=token)

    run = await client.call("runs_start", {"intent": "mine"})
    forged = await client.outcome("runs_start", {"intent": "not mine", "agent_id": "bob"})

    assert run["agent_id"] == "alice"
    assert "error" in forged
    async with await CarSocket.connect_host(daemon) as host:
        assert [r["run_id"] for r in await host.runs("alice")] == [run["run_id"]]
        assert await host.runs("bob") == []


async def test_bound_agent_reads_its_own_runs(
    newest_car_runtime: Path, daemon: Daemon, start_client: StartClient
) -> None:
    """The newer package's reads give a bound agent its own runs, and nobody else's."""
    token = await daemon.agent_token("alice")
    client = await start_client(
        newest_car_runtime, daemon, CAR_AGENT_ID="alice", CAR_AGENT_TOKEN=token
    )
    run = await client.call("runs_start", {"intent": "mine"})
    turns = [{"prompt": "hello", "output": "world"}]
    kept = await client.call("runs_record_turns", {"run_id": run["run_id"], "turns": turns})

    listed = await client.call("runs_list", {"agent_id": "alice"})
    trace = await client.call("runs_get_trace", {"run_id": run["run_id"]})
    foreign = await client.outcome("runs_list", {"agent_id": "bob"})

    assert (kept["ok"], kept["count"]) == (True, 1)
    assert [r["run_id"] for r in listed["runs"]] == [run["run_id"]]
    assert [record["record"] for record in trace["records"]] == ["started", "turn"]
    assert trace["records"][1]["output"] == "world"
    assert "error" in foreign
