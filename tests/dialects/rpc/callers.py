"""Who calls methods of hubbub's own door: over a socket, or by POST, without either."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import msgspec

from hubbub.core.values import OPERATOR, Principal
from hubbub.dialects.rpc.frames import Call, EventFrames
from hubbub.dialects.rpc.methods import Method
from hubbub.dialects.rpc.session import PostCaller, RpcSession, run
from hubbub.dialects.rpc.settings import DEFAULT_LIMITS
from tests.unit.outbox import RecordingOutbox


class Caller:
    """Somebody who calls."""

    def __init__(
        self,
        hub: Any,
        table: Mapping[str, Method],
        principal: Principal = OPERATOR,
        *,
        socket: bool = True,
    ) -> None:
        self._table = table
        events = EventFrames(hub.store.epoch)
        self.outbox = RecordingOutbox()
        connection: Any = SimpleNamespace(
            outbox=self.outbox, request=SimpleNamespace(caller=principal)
        )
        self.caller: Any = (
            RpcSession(hub, table, events, DEFAULT_LIMITS, connection)
            if socket
            else PostCaller(hub, events, DEFAULT_LIMITS, principal)
        )

    async def answer(self, method: str, **params: object) -> dict[str, Any]:
        """Make a call and give its answer."""
        answers: list[bytes] = []
        raw = msgspec.Raw(msgspec.json.encode(params))
        call = Call(method, "2.0", raw, msgspec.Raw(b"1"))
        work = run(self.caller, self._table, call, answers.append)
        if work is not None:
            await work
        answer: dict[str, Any] = msgspec.json.decode(answers[0])
        return answer

    async def call(self, method: str, **params: object) -> Any:
        """Make a call that succeeds and give its result."""
        answer = await self.answer(method, **params)
        assert "error" not in answer, answer
        return answer["result"]

    async def fail(self, method: str, **params: object) -> str:
        """Make a call that fails and give the code of its error."""
        answer = await self.answer(method, **params)
        assert "error" in answer, answer
        code: str = answer["error"]["data"]["code"]
        return code
