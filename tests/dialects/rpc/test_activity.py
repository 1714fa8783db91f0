"""`journal.activity`: when things happened, in few numbers."""

import itertools

from tests.clients.rpc import RpcSocket
from tests.conftest import StartDaemon


async def test_points_are_events_at_even_distances(start_daemon: StartDaemon) -> None:
    """The first and the newest are among them, each with its own time, however many there are."""
    daemon = await start_daemon()
    async with await RpcSocket.connect(daemon) as ann:
        for number in range(40):
            await ann.call("topics.publish", {"topic": "lobby", "data": number})
        newest = (await ann.call("system.ping"))["position"]
        events = (await ann.call("journal.read", {"limit": 1000}))["events"]

        few = await ann.call("journal.activity", {"points": 5})
        all_of_them = await ann.call("journal.activity", {"points": 500})

    times = {event["seq"]: event["at"] for event in events}
    assert few["position"] == newest
    seqs = [point["seq"] for point in few["points"]]
    assert (seqs[0], seqs[-1], len(seqs)) == (events[0]["seq"], newest["seq"], 5)
    steps = [after - before for before, after in itertools.pairwise(seqs)]
    assert max(steps) - min(steps) <= 1
    assert {point["seq"]: point["at"] for point in all_of_them["points"]} == times
    assert all(times[point["seq"]] == point["at"] for point in few["points"])


async def test_limit_of_points_is_a_setting(start_daemon: StartDaemon) -> None:
    """What is beyond it is refused, with the value in the text; an empty journal has none."""
    daemon = await start_daemon("[dialects.hubbub]\nmax_activity_points = 3\n")
    async with await RpcSocket.connect(daemon) as ann:
        refused = await ann.fail("journal.activity", {"points": 4})
        given = await ann.call("journal.activity", {"points": 3})

    assert refused["message"] == "points must be from 2 to 3"
    assert [point["seq"] for point in given["points"]] == sorted(
        {point["seq"] for point in given["points"]}
    )
