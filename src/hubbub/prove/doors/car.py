"""The CAR door: runs of an agent whose connection drops, followed by a host."""

import asyncio
import contextlib
from functools import partial
from typing import Any

import msgspec

from hubbub.prove.desk import RETRY_S, Client, Desk, Refused
from hubbub.prove.doors.rpc import Rpc, call_on, request
from hubbub.prove.doors.running import CARELESS, asked_runs, turn_label, work_on_runs
from hubbub.prove.doors.wire import BROKEN, Frame, NotNow, Socket, follow, surely
from hubbub.prove.history import Found


AUTH = 0
"""Id of the first request, as the real client numbers it."""
RUNS = "car-runs"
"""The writer, and the agent whose runs are followed."""
LIST = "list"
"""Id of the requests for the list of runs."""


async def connect(desk: Desk, **auth: str) -> Socket:
    """Open a socket and present a token.

    Raises:
        NotNow: The token is not taken, as long as the agent's former connection is not over.
    """
    socket = await Socket.open(desk)
    try:
        await call_on(socket, AUTH, "session.auth", **auth)
    except Refused as error:
        await socket.close()
        raise NotNow(str(error)) from error
    except BaseException:
        await socket.close()
        raise
    return socket


# -- writers -------------------------------------------------------------------------------


class CarRuns:
    """``runs.*``."""

    def __init__(self, desk: Desk) -> None:
        """Call as the agent at this desk."""
        self._rpc = Rpc(lambda: connect(desk, agent_id=desk.name, token=desk.token()))

    async def start(self, run_id: str) -> str:
        """Start a run, or come back to it."""
        made = await self._rpc.call("runs.start", intent="to prove", idempotency_key=run_id)
        return str(made["run_id"])

    async def record(self, run_id: str, prompt: str, key: str) -> int:
        """Add a turn and give its index."""
        answer = await self._rpc.call(
            "runs.record_turns", run_id=run_id, turns=[{"prompt": prompt}], idempotency_key=key
        )
        if not answer["ok"]:
            raise Refused(answer["dropped"])
        return int(answer["base_index"])

    async def complete(self, run_id: str, key: str) -> None:
        """End a run."""
        await self._rpc.call(
            "runs.complete", run_id=run_id, outcome={"status": "success"}, idempotency_key=key
        )

    async def drop(self) -> None:
        """End the connection, as the real client does."""
        await self._rpc.drop()


async def run(desk: Desk) -> None:
    """Work on runs, and lose the connection in the middle of some."""
    calls = CarRuns(desk)
    await work_on_runs(desk, calls, CARELESS)
    await calls.drop()


# -- readers -------------------------------------------------------------------------------


class HostReader:
    """Finds an agent's runs and subscribes to each, from the turn that it has not seen."""

    def __init__(self, desk: Desk) -> None:
        """Begin with no run known."""
        self._desk = desk
        self._cursors: dict[str, int] = {}
        """Of each run, how many turns were told."""
        self._ended: set[str] = set()
        self._followed: set[str] = set()
        """Runs that this connection has subscribed to."""

    async def read(self) -> None:
        """Follow over one connection."""
        desk = self._desk
        socket = await connect(desk, host_token=desk.token("host"))
        self._followed = set()
        desk.joined("exact", (f"runs/{RUNS}-*",), kinds=("run.turn", "run.ended"), one_order=False)
        looking = asyncio.create_task(_ask_for_runs(socket))
        try:
            while True:
                await self._take(socket, await socket.receive())
        finally:
            desk.left()
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError, *BROKEN):
                await looking
            await socket.close()

    async def _take(self, socket: Socket, frame: Frame) -> None:
        """Take a list of runs, the answer to a subscription, or a record of a trace."""
        if frame.get("method") == "runs.trace.event":
            await self._record(socket, frame["params"])
        elif frame.get("id") == LIST:
            for run in reversed(frame["result"]["runs"]):
                await self._subscribe(socket, run["run_id"])
        elif "turns_so_far" in frame.get("result", {}):
            self._snapshot(frame["result"])

    async def _subscribe(self, socket: Socket, run_id: str) -> None:
        if run_id not in self._followed | self._ended:
            self._followed.add(run_id)
            params = {"run_id": run_id, "cursor": self._cursors.get(run_id, 0)}
            await socket.send(request(run_id, "runs.subscribe", params))

    def _snapshot(self, answer: Frame) -> None:
        """Tell the turns that are new; a daemon that does not look at cursors gives all."""
        run_id, turns = answer["run_id"], answer["turns_so_far"]
        begin = answer["cursor"] - len(turns)
        for turn in turns[self._cursors.get(run_id, 0) - begin :]:
            self._turn(run_id, turn)
        self._cursors[run_id] = answer["cursor"]
        if answer["status"] != "in_progress":
            self._end(run_id)

    async def _record(self, socket: Socket, params: Frame) -> None:
        run_id = params["run_id"]
        if params["record"]["record"] == "turn":
            self._turn(run_id, params["record"])
            self._cursors[run_id] = params["cursor"]
        else:
            self._end(run_id)
            await socket.send(request(f"{run_id}/end", "runs.unsubscribe", {"run_id": run_id}))

    def _turn(self, run_id: str, turn: Frame) -> None:
        topic = f"runs/{run_id}"
        self._desk.told(topic, turn_label(topic, turn["prompt"]))

    def _end(self, run_id: str) -> None:
        self._ended.add(run_id)
        self._desk.told(f"runs/{run_id}", f"runs/{run_id} run.ended")


async def _ask_for_runs(socket: Socket) -> None:
    while True:
        await socket.send(request(LIST, "runs.list", {"agent_id": RUNS}))
        await asyncio.sleep(RETRY_S)


async def read_runs(desk: Desk) -> None:
    """Follow the runs of the writer."""
    await follow(desk, HostReader(desk).read)


# -- the end -------------------------------------------------------------------------------


class CarDoor:
    """The clients of the CAR door."""

    name = "car"

    @property
    def writers(self) -> dict[str, Client]:
        """Give the writers by name."""
        return {RUNS: run}

    @property
    def readers(self) -> dict[str, Client]:
        """Give the readers by name."""
        return {"car-host": read_runs}

    async def look(self, desk: Desk) -> None:
        """Record the traces of all runs."""
        rpc = Rpc(lambda: connect(desk, host_token=desk.token("host")))
        for run_id in asked_runs(desk):
            trace = await surely(desk, partial(rpc.call, "runs.get_trace", run_id=run_id))
            if not trace.get("not_found"):
                self._look_at(desk, run_id, trace["records"])
        await rpc.drop()

    def _look_at(self, desk: Desk, run_id: str, records: list[dict[str, Any]]) -> None:
        topic = f"runs/{run_id}"
        ended = any(record["record"] == "ended" for record in records)
        found = Found(at=0, door=self.name, read="run", what=f"{topic} run.started", stream=topic)
        status = "ended" if ended else "in_progress"
        desk.found(msgspec.structs.replace(found, value=status))
        for record in records:
            if record["record"] == "turn":
                what = turn_label(topic, record["prompt"])
                desk.found(msgspec.structs.replace(found, read="trace", what=what))


DOOR = CarDoor()
