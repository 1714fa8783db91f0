"""Which pages and which names get in: on every listener, and under the prefixes of hubbub's own."""

from collections.abc import Iterator

import pytest

from tests.clients.frames import refusal
from tests.clients.http import HttpClient
from tests.daemon import DOORS, Daemon


SOCKETS = {"hubbub": "/rpc", "x0x": "/ws", "crosslink": "/ws", "car": "/", "openclaw": "/"}
PAGES = {"hubbub": "/healthz", "x0x": "/health", "crosslink": "/api/v1/health"}
FRIEND = "https://friend.example"
PLACES = [*((door, "") for door in DOORS), *(("hubbub", f"/{door}") for door in DOORS[1:])]
"""Every listener with what is at its root, and hubbub's with what is under its prefixes."""


def socket_of(door: str, prefix: str) -> str:
    """Give the path of the socket at a place."""
    return prefix + SOCKETS[prefix.removeprefix("/") or door]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that lets one foreign page in, and goes by one more name."""
    config = f'[listen]\norigins = ["{FRIEND}"]\nhosts = ["hub.example"]\n'
    daemon = Daemon(tmp_path_factory.mktemp("house"), config=config)
    try:
        daemon.start_blocking()
        yield daemon
    finally:
        daemon.end()


@pytest.mark.parametrize(("door", "prefix"), PLACES)
async def test_socket_is_for_our_own_pages_and_allowed_ones(
    house: Daemon, door: str, prefix: str
) -> None:
    """A foreign page is 403 before the upgrade, as is one that only looks like ours."""
    url = house.ws_url(door, socket_of(door, prefix))
    own = house.url(door)
    bearer = {"Authorization": f"Bearer {house.token}"}

    async def status(origin: str) -> int:
        return await refusal(url, headers={**bearer, "Origin": origin})

    assert await status(own) == 101
    # crosslink's own rule beside ours: a page may open its socket from its own host alone.
    assert await status(FRIEND) == 101
    for foreign in ("https://evil.example", "null", f"{own}.evil.example", "http://127.0.0.1.evil"):
        assert await status(foreign) == 403, foreign


@pytest.mark.parametrize(("door", "prefix"), PLACES)
async def test_name_that_is_not_ours_is_refused(house: Daemon, door: str, prefix: str) -> None:
    """A page whose name was bent to this address (DNS rebinding) gets 403, socket or not."""
    bearer = {"Authorization": f"Bearer {house.token}"}
    path = prefix + PAGES.get(prefix.removeprefix("/") or door, "/")
    port = house.address(door)[1]
    async with HttpClient(house.url(door)) as client:
        for host, expected in (
            ("evil.example", True),
            (f"evil.example:{port}", True),
            ("127.0.0.1.evil.example", True),
            (f"hub.example:{port}", False),
            (f"LOCALHOST:{port}", False),
            (f"[::1]:{port}", False),
        ):
            answer = await client.request("GET", path, headers={**bearer, "Host": host})
            assert (answer.status == 403) == expected, (host, answer)
            if expected:
                assert "is not served here" in answer.text
        upgrade = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Host": "evil.example",
            "Origin": "http://evil.example",
        }
        answer = await client.request("GET", socket_of(door, prefix), headers=bearer | upgrade)
        assert answer.status == 403


@pytest.mark.parametrize(("door", "prefix"), [p for p in PLACES if p[0] in PAGES])
async def test_allowed_page_may_read_answers_and_others_may_not(
    house: Daemon, door: str, prefix: str
) -> None:
    """The CORS headers name the page that is allowed; the others get none."""
    name = prefix.removeprefix("/") or door
    if name not in PAGES:
        return
    async with HttpClient(house.url(door), house.token) as client:
        good = await client.get(prefix + PAGES[name], headers={"Origin": FRIEND})
        bad = await client.get(prefix + PAGES[name], headers={"Origin": "https://evil.example"})

    assert (good.status, bad.status) == (200, 403)
    assert good.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Access-Control-Allow-Origin" not in bad.headers
