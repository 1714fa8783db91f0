"""Well-behaved guests on every door, who must not notice what others do wrong."""

import itertools

from tests.clients.guests import Guests
from tests.clients.openclaw import is_event
from tests.clients.x0x import b64
from tests.daemon import Daemon


class Sentinels:
    """One working connection per door, opened before the trouble and used after it."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    async def arrive(self, guests: Guests, daemon: Daemon) -> None:
        """Connect through every door and subscribe where that door has subscriptions."""
        self._daemon = daemon
        self.rpc = await guests.rpc(daemon)
        self.x0x = await guests.x0x_socket(daemon)
        self.x0x_rest = await guests.x0x(daemon)
        if daemon.serves("crosslink"):
            self.crosslink = await guests.crosslink_socket(daemon, "locks")
            self.crosslink_rest = await guests.crosslink(daemon)
        if daemon.serves("car"):
            self.car = await guests.car(daemon)
        if daemon.serves("openclaw"):
            self.openclaw = await guests.openclaw(daemon)
        await self.rpc.subscribe("sentinel")
        await self.x0x.subscribe("sentinel")
        await self.check()

    async def check(self) -> None:
        """Do one round of work on every connection, with exact answers."""
        number = next(self._numbers)
        await self.x0x_rest.publish("sentinel", str(number))
        assert await self.x0x.payloads(1) == [str(number).encode()]
        assert (await self.rpc.event("sentinel"))["data"] == {"payload": b64(str(number))}
        if self._daemon.serves("crosslink"):
            await self.crosslink_rest.notify_lock(number, "claimed", "sentinel")
            lock = await self.crosslink.expect(lambda frame: frame.get("agent_id") == "sentinel")
            assert (lock["issue_id"], lock["seq"]) == (number, len(self.crosslink.seen))
        if self._daemon.serves("car"):
            answer = await self.car.call("server.handshake", {"protocol_version": 3})
            assert answer["protocol_version"] == 3
        if self._daemon.serves("openclaw"):
            assert (await self.openclaw.call("health"))["ok"] is True
            assert self.openclaw.untaken(is_event("shutdown")) == []
