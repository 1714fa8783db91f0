"""What is there at the end: the whole journal, and which turns were really executed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

from hubbub.prove.history import Found, label
from hubbub.prove.subject import EXECUTIONS


PAGE = 1000
"""Events of the journal read at a time."""


class Operator:
    """The operator's calls to the daemon itself, past the proxies."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        """Call hubbub's own listener."""
        self._http = http
        self._url = f"{url}/rpc"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, params: dict[str, Any]) -> Any:
        """Call a method and give its result.

        Raises:
            RuntimeError: The daemon refused.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._http.post(self._url, json=body, headers=self._headers) as answer:
            reply = await answer.json()
        if "error" in reply:
            message = f"{method}: {reply['error']}"
            raise RuntimeError(message)
        return reply["result"]

    async def journal(self, at: float) -> list[Found]:
        """Read every event of the journal."""
        events: list[Found] = []
        params: dict[str, Any] = {"limit": PAGE}
        while True:
            page = await self.call("journal.read", params)
            events += (_found(event, at) for event in page["events"])
            if not page["more"]:
                return events
            params["after"] = page["position"]


def executions(data_dir: Path, at: float) -> Iterator[Found]:
    """Give each turn that the agent ``counted`` really took."""
    path = data_dir / EXECUTIONS
    if path.exists():
        for run_id in path.read_text("utf-8").split():
            yield Found(at=at, door="runner", read="execution", what=run_id)


def _found(event: dict[str, Any], at: float) -> Found:
    data = event["data"] if isinstance(event["data"], dict) else {}
    return Found(
        at=at,
        door="hubbub",
        read="event",
        what=label(event["topic"], event["kind"], data),
        stream=event["topic"],
        kind=event["kind"],
        position=event["seq"],
        value=str(data.get("agent" if event["kind"].startswith("lock.") else "run_id", "")),
        fence=data.get("fence"),
    )
