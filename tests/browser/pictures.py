"""Take the pictures of the page that the documents show, of a daemon with the demo's agents.

Run as `python -m tests.browser.pictures`, where Chromium is.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser import visitor
from tests.browser.visitor import CHROMIUM, NO_CHROMIUM, Visitor, chromium, visiting
from tests.clients.rpc import RpcSocket
from tests.clients.waiting import eventually
from tests.daemon import Daemon


FOLDER = Path(__file__).parents[2] / "docs" / "images"
VIEWS = {
    "work": ["work"],
    "now": ["now"],
    "runs": ["runs"],
    "chat": ["chat", "agent:main:main"],
    "topics": ["topics"],
    "health": ["health"],
}
"""Name of a picture to what is open in it, as in the page's address; in the order of taking."""
HEIGHT = 720
EVENTS = 50
"""So many have happened at least; the demo takes about as many seconds."""
MOST_BYTES = 200 * 1024
ROUNDS = 10
"""Looks of a patience each that the demo is given."""


async def take(folder: Path) -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as home:
        daemon = Daemon(Path(home), args=["--demo"])
        try:
            await daemon.start()
            await _some_life(daemon)
            async with chromium() as browser, visiting(browser, daemon, height=HEIGHT) as one:
                await one.open()
                for name, path in VIEWS.items():
                    await _picture(one, name, path)
                    _is_small(folder / f"{name}.png")
        finally:
            daemon.end()


async def _some_life(daemon: Daemon) -> None:
    """Ask the agent that answers, and wait until somebody is at work, not for the first time."""
    async with await RpcSocket.connect(daemon) as asker:
        message = {"session": "main", "message": "Is there tea?", "idempotency_key": "tea"}
        await asker.call("chat.send", message)

        async def happened() -> Any:
            seq = (await asker.call("system.ping"))["position"]["seq"]
            return seq >= EVENTS and (await asker.call("locks.list"))["locks"]

        for _ in range(ROUNDS):
            try:
                await eventually(happened)
            except AssertionError:
                continue
            return


async def _picture(one: Visitor, name: str, path: list[str]) -> None:
    await one.see(*path)
    await one.page.locator("main h2, main h3").first.wait_for()
    await one.page.wait_for_load_state("networkidle")

    async def is_complete() -> bool:
        return "not known yet" not in await one.page.locator("main").inner_text()

    await eventually(is_complete, what=f"the figures of {name}")
    await one.screenshot(name)


def _is_small(picture: Path) -> None:
    """Look at the size of a picture.

    Raises:
        ValueError: It is too large for the repository.
    """
    size = picture.stat().st_size
    if size > MOST_BYTES:
        message = f"{picture.name} has {size} bytes, {MOST_BYTES} at most"
        raise ValueError(message)


def main() -> int:
    """Take them, if there is a browser."""
    if CHROMIUM is None:
        sys.stderr.write(f"{NO_CHROMIUM}\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    visitor.OUTPUT = FOLDER
    asyncio.run(take(FOLDER))
    return 0


if __name__ == "__main__":
    sys.exit(main())
