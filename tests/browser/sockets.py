"""What a page's sockets carried, kept by socket."""

import json
from typing import Any

from playwright.async_api import Page, WebSocket


class Sockets:
    """The frames of each socket of one page, as they came and went; listen before it opens."""

    def __init__(self, page: Page) -> None:
        self.all: list[Carried] = []
        page.on("websocket", lambda socket: self.all.append(Carried(socket)))

    @property
    def newest(self) -> "Carried":
        """The socket that was opened last."""
        return self.all[-1]


class Carried:
    """The frames of one socket."""

    def __init__(self, socket: WebSocket) -> None:
        self.sent: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        socket.on("framesent", lambda frame: self.sent.append(json.loads(frame)))
        socket.on("framereceived", lambda frame: self.received.append(json.loads(frame)))

    @property
    def seqs(self) -> list[int]:
        """Places of the stored events that were told, in their order."""
        told = [frame["params"]["event"] for frame in self.received if "method" in frame]
        return [event["seq"] for event in told if event["seq"]]

    def asked(self, method: str) -> dict[str, Any]:
        """Give the parameters of the first call of a method."""
        params: dict[str, Any] = self._call(method)["params"]
        return params

    def answered(self, method: str) -> dict[str, Any]:
        """Give the result of the first call of a method."""
        number = self._call(method)["id"]
        result: dict[str, Any] = next(
            frame["result"] for frame in self.received if frame.get("id") == number
        )
        return result

    def _call(self, method: str) -> dict[str, Any]:
        return next(call for call in self.sent if call["method"] == method)
