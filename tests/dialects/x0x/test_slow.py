"""Sockets whose client does not read: what is dropped, what closes them, what they can learn."""

from hubbub.dialects.x0x import X0xSettings
from tests.clients.waiting import eventually
from tests.clients.x0x import X0xClient, X0xSocket, of_type
from tests.dialects.x0x.conftest import OpenRoom, Room


KEEPALIVE = X0xSettings(keepalive_s=0.2)
PATIENT = X0xSettings(keepalive_s=3600)
PAYLOAD = "x" * 16 * 1024


def stop_reading(slow: X0xSocket) -> None:
    """Take nothing more from the kernel, whose own buffers fill up first."""
    slow.connection.transport.pause_reading()


def read_again(slow: X0xSocket) -> None:
    """Read on."""
    slow.connection.transport.resume_reading()


async def saturate(room: Room, slow: X0xSocket, client: X0xClient) -> None:
    """Publish to a socket that does not read until frames are dropped."""
    await slow.subscribe("flood")
    stop_reading(slow)
    while (await client.get("/diagnostics/ws")).body["ws_outbound_dropped"] == 0:
        for _ in range(64):
            await client.publish("flood", PAYLOAD)


async def slow_closes(client: X0xClient) -> int:
    """Ask how many sockets were closed as too slow."""
    count: int = (await client.get("/diagnostics/ws")).body["ws_slow_consumer_closes"]
    return count


async def test_stalled_socket_is_closed_by_the_keepalive_and_reads_1013(
    open_room: OpenRoom,
) -> None:
    """The keepalive that finds no room closes once, with a reason that a late reader gets."""
    room = await open_room(KEEPALIVE)
    client = await room.client()
    slow, healthy = await room.socket(), await room.socket()
    await saturate(room, slow, client)

    await eventually(lambda: slow_closes(client), what="the close as slow consumer")
    read_again(slow)

    assert await slow.closed() == (1013, "slow consumer")
    assert await slow_closes(client) == 1
    await healthy.ping()
    sessions = {session["session_id"] for session in await client.sessions()}
    assert sessions == {healthy.session_id}


async def test_direct_message_closes_a_saturated_socket(open_room: OpenRoom) -> None:
    """A direct message is never dropped in silence: the socket that cannot take it is closed."""
    room = await open_room(PATIENT)
    client, slow = await room.client(), await room.socket("/ws/direct")
    await saturate(room, slow, client)

    await client.send_direct(slow.agent_id, "important")

    assert await slow_closes(client) == 1
    read_again(slow)
    assert await slow.closed() == (1013, "slow consumer")


async def test_answers_to_a_stalled_socket_are_dropped_and_counted(open_room: OpenRoom) -> None:
    """Whoever asks on without reading costs a bounded queue, not the daemon's memory."""
    room = await open_room(PATIENT)
    client, slow = await room.client(), await room.socket()
    await saturate(room, slow, client)
    before = (await client.get("/diagnostics/ws")).body["ws_outbound_dropped"]

    for _ in range(2_000):
        await slow.send({"type": "ping"})

    async def dropped() -> bool:
        counters = (await client.get("/diagnostics/ws")).body
        return bool(counters["ws_outbound_dropped"] >= before + 900)

    await eventually(dropped, what="dropped answers")
    assert await slow_closes(client) == 0
    read_again(slow)
    await slow.expect(of_type("pong"))


async def test_socket_that_reads_on_in_time_is_kept(open_room: OpenRoom) -> None:
    """After a stall that did not fill the queue everything is there, in order."""
    room = await open_room(PATIENT)
    client, slow = await room.client(), await room.socket()
    await slow.subscribe("flood")
    stop_reading(slow)
    for number in range(200):
        await client.publish("flood", f"{number:04}" + PAYLOAD)
    read_again(slow)
    assert [text[:4] for text in await slow.payloads(200)] == [b"%04d" % n for n in range(200)]
