"""A person at the page: Chromium, opened with a link, and everything that went wrong in it."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    async_playwright,
)

from tests.clients.waiting import eventually
from tests.daemon import Daemon


CHROMIUM = shutil.which("chromium")
NO_CHROMIUM = "no `chromium` on the PATH; `make browser` installs it"
# A browser in a container cannot make a sandbox of its own as root.
FLAGS = ["--no-sandbox"] if os.geteuid() == 0 else []

OUTPUT = Path(os.environ.get("HUBBUB_SCREENSHOTS", "build/browser"))
"""Where screenshots are kept."""
WAIT_MS = 20_000
"""Milliseconds to wait for something that must come; only a failure takes so long."""

VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""


class Visitor:
    """One page that is open."""

    def __init__(self, daemon: Daemon, page: Page) -> None:
        self.daemon = daemon
        self.page = page
        self.wrong: list[str] = []
        """What went wrong, in words; a test that provokes something takes it out."""
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._said)
        page.on("pageerror", self._threw)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    async def open(self, *path: str) -> None:
        """Come in by a new link, and wait until the room is there."""
        await self.page.goto(await self.daemon.link())
        await self.is_live()
        if path:
            await self.see(*path)

    async def see(self, *path: str) -> None:
        """Go to a view, by its address."""
        await self.page.evaluate(
            "(path) => { location.hash = '/' + path.map(encodeURIComponent).join('/') }", [*path]
        )
        await self.page.wait_for_selector(f'main[data-view="{path[0]}"]')

    async def is_live(self) -> None:
        """Wait until the page is connected and shows the room."""
        await self.page.locator(".link-state", has_text="live").wait_for()

    async def has_seen(self, seq: int) -> None:
        """Wait until the page's room has reached a position."""

        # Not Playwright's own waiting: it evaluates text, which the page's policy forbids.
        async def seen() -> bool:
            return int(await self.page.locator("#when").get_attribute("max") or 0) >= seq

        await eventually(seen, what=f"the page at event {seq}")

    async def screenshot(self, name: str) -> None:
        """Keep a picture of what is seen now."""
        await self.page.screenshot(path=OUTPUT / f"{name}.png")  # makes the folder

    async def overflow(self) -> int:
        """Give by how many pixels the page is wider than its window."""
        width: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width

    async def call(self, script: str, argument: Any = None) -> Any:
        """Run a script in the page, from outside its policy."""
        return await self.page.evaluate(script, argument)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"console {message.type}: {message.text}")

    def _threw(self, error: Error) -> None:
        self.wrong.append(f"exception: {error}")

    def _failed(self, request: Request) -> None:
        # Who leaves or reloads before the icon has come needs it no longer.
        if request.failure == "net::ERR_ABORTED" and request.url.endswith("/icon.svg"):
            return
        self.wrong.append(f"request failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status} {response.url}")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start Debian's Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser,
    daemon: Daemon,
    *,
    width: int = 1280,
    height: int = 800,
    scheme: Any = "light",
) -> AsyncIterator[Visitor]:
    """Give somebody at a page of their own; nothing may have gone wrong in it at the end."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    await context.add_init_script(VIOLATIONS)
    visitor = Visitor(daemon, await context.new_page())
    yield visitor
    await context.close()
    assert visitor.wrong == [], visitor.wrong
