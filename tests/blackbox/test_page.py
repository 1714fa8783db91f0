"""The page and how a browser comes in: files, headers, tickets, tokens."""

import asyncio
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import websockets
from playwright.async_api import async_playwright

from hubbub.doors import page_files
from tests.clients.frames import Frame, refusal
from tests.clients.guests import Guests
from tests.clients.http import HttpClient
from tests.conftest import StartDaemon
from tests.daemon import Daemon


ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
}
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


async def post(daemon: Daemon, method: str, params: object, token: str | None = None) -> Any:
    """Call a method by POST; gives what stands in the body, whatever the status."""
    async with HttpClient(daemon.url("hubbub"), token) as client:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return (await client.request("POST", "/rpc", call)).body


async def browser_token(daemon: Daemon, *words: str) -> str:
    """Come in by a link, as the page does."""
    made = json.loads(await daemon.hubbub("open", "--json", *words))
    _, _, ticket = made["link"].partition("#ticket=")
    answer = await post(daemon, "tokens.redeem", {"ticket": ticket})
    token: str = answer["result"]["token"]
    return token


async def socket_of(daemon: Daemon, *protocols: str) -> Any:
    """Open `/rpc` as a browser can: it sets no header but the subprotocols."""
    offered: Any = list(protocols)
    url = daemon.ws_url("hubbub", "/rpc")
    return await websockets.connect(url, subprotocols=offered, proxy=None)


async def answer_on(socket: Any, method: str, params: object) -> Frame:
    """Call a method over a socket."""
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    answer: Frame = json.loads(await socket.recv())
    return answer


# -- files -------------------------------------------------------------------------------


async def test_every_file_of_the_page_is_served_under_a_strict_policy(daemon: Daemon) -> None:
    """To anybody, byte for byte, with its type, and never to be trusted without a look."""
    files = page_files()
    assert "index.html" in files
    async with HttpClient(daemon.url("hubbub")) as client:
        for path, content in {**files, "": files["index.html"]}.items():
            url = f"/page/{path}" if path else "/"
            answer = await client.request("GET", url)

            assert (answer.status, answer.text) == (200, content.decode()), url
            policy = answer.headers["Content-Security-Policy"]
            assert set(re.split(r";\s*", policy)) == POLICY
            assert answer.headers["Content-Type"] == KINDS[Path(path or "a.html").suffix]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-cache"
            known = {"If-None-Match": answer.headers["ETag"]}
            again = await client.request("GET", url, headers=known)
            assert (again.status, again.text) == (304, "")
            assert again.headers["Content-Security-Policy"] == policy


def test_markup_has_nothing_inline() -> None:
    """No script, no style and no handler that the policy would refuse."""
    for path, content in page_files().items():
        if not path.endswith((".html", ".svg")):
            continue
        text = content.decode()
        assert not re.findall(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.findall(r"<style|\sstyle=|\son\w+=|javascript:", text), path


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/none.js",
        "/page/../page/index.html",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        "/page/index.html%00.js",
        "/page/./index.html",
    ],
)
async def test_no_other_path_leads_anywhere(daemon: Daemon, path: str) -> None:
    """Only the names of the files themselves; all else is 404, as it was sent."""
    reader, writer = await asyncio.open_connection(*daemon.address("hubbub"))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith("HTTP/1.1 404 "), answer
    assert '"code":"not_found"' in answer


async def test_other_doors_keep_their_roots(daemon: Daemon) -> None:
    """The page is hubbub's own: neither their listeners nor their prefixes have it."""
    async with HttpClient(daemon.url("crosslink"), daemon.token) as client:
        assert (await client.request("GET", "/page/index.html")).status == 404
    async with HttpClient(daemon.url("hubbub"), daemon.token) as client:
        assert (await client.request("GET", "/crosslink/page/index.html")).status == 404


def test_wheel_has_every_file_of_the_page(tmp_path: Path) -> None:
    """What is installed from it serves what this tree serves."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        prefix = "hubbub/page/"
        names = [name for name in packed.namelist() if name.startswith(prefix)]
        inside = {name.removeprefix(prefix): packed.read(name) for name in names}

    assert inside == page_files()


# -- coming in ---------------------------------------------------------------------------


async def test_browser_acts_as_the_operator(daemon: Daemon, guests: Guests) -> None:
    """It ends anybody's run; what needs more than its ticket's scopes is forbidden."""
    agent = await guests.rpc(daemon, await daemon.agent_token("ann"))
    run = (await agent.call("runs.start", {"intent": "tea"}))["run_id"]
    token = await browser_token(daemon)
    socket = await socket_of(daemon, "hubbub", f"token.{token}")

    ended = await answer_on(socket, "runs.cancel", {"run_id": run})
    refused = await answer_on(socket, "tokens.list", {})
    await socket.close()

    assert socket.subprotocol == "hubbub"
    assert ended["result"]["status"] == "cancelled"
    assert refused["error"]["data"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("word", "may"), [("--read-only", {"read"}), ("--admin", {"read", "write", "admin"})]
)
async def test_link_says_what_its_browser_may(daemon: Daemon, word: str, may: set[str]) -> None:
    """Watch alone, or also manage tokens."""
    token = await browser_token(daemon, word)
    calls = {"read": "runs.list", "write": "agents.heartbeat", "admin": "tokens.list"}
    for scope, method in calls.items():
        params = {"agent": "ann"} if scope == "write" else {}
        answer = await post(daemon, method, params, token)
        assert ("result" in answer) == (scope in may), (method, answer)


async def test_without_a_token_only_a_ticket_opens(daemon: Daemon) -> None:
    """All other calls are 401 before they are looked at; so is all that is too large for one."""
    made = await post(daemon, "tokens.ticket", {}, daemon.token)
    ticket = made["result"]["ticket"]
    good = {"jsonrpc": "2.0", "id": 1, "method": "tokens.redeem", "params": {"ticket": ticket}}
    async with HttpClient(daemon.url("hubbub")) as client:
        for method in ("runs.list", "tokens.ticket", "no.such.method"):
            answer = await client.request("POST", "/rpc", {**good, "method": method})
            assert (answer.status, answer.body["error"]["code"]) == (401, "unauthorized")
        for data in (b"no json", b"[]", json.dumps({**good, "pad": "x" * 4096}).encode()):
            assert (await client.request("POST", "/rpc", data=data)).status == 401
        packed = {"Content-Encoding": "gzip"}
        bomb = gzip.compress(json.dumps({**good, "pad": "x" * 100_000}).encode())
        assert len(bomb) < 4096
        answer = await client.request("POST", "/rpc", data=bomb, headers=packed)
        assert (answer.status, answer.body["error"]["code"]) == (401, "unauthorized")
        wrong = {"Authorization": f"Bearer {'0' * 64}"}
        assert (await client.request("POST", "/rpc", good, headers=wrong)).status == 401
        void = {**good, "params": {"ticket": "0" * 64}}
        answer = await client.request("POST", "/rpc", void)
        assert answer.body["error"]["data"]["code"] == "unauthorized"
        assert "`hubbub open` makes another" in answer.body["error"]["message"]

        assert "token" in (await client.request("POST", "/rpc", good)).body["result"]


async def test_many_who_redeem_a_ticket_without_a_token_are_slowed_down(
    start_daemon: StartDaemon,
) -> None:
    """Whoever guesses is refused by the rate of its address, like all without a token."""
    daemon = await start_daemon("[limits]\nmessages_per_s = 1\nmessages_burst = 5\n")
    async with HttpClient(daemon.url("hubbub")) as client:
        call = {"jsonrpc": "2.0", "id": 1, "method": "tokens.redeem", "params": {"ticket": "0"}}
        tries = [(await client.request("POST", "/rpc", call)).status for _ in range(12)]

    assert set(tries) == {200, 429}


async def test_ticket_is_redeemed_by_one_of_many(daemon: Daemon) -> None:
    """Also where they come at once, on connections of their own."""
    made = await post(daemon, "tokens.ticket", {}, daemon.token)
    params = {"ticket": made["result"]["ticket"]}

    answers = await asyncio.gather(*(post(daemon, "tokens.redeem", params) for _ in range(16)))

    assert sum("result" in answer for answer in answers) == 1


@pytest.mark.parametrize("offered", ["token." + "0" * 64, "token.", "hubbub, token.x"])
async def test_wrong_token_is_refused_before_the_upgrade(daemon: Daemon, offered: str) -> None:
    """401, as with every other way to show one."""
    headers = {"Sec-WebSocket-Protocol": offered}
    assert await refusal(daemon.ws_url("hubbub", "/rpc"), headers=headers) == 401


async def test_no_token_is_ever_logged(daemon: Daemon) -> None:
    """Not by the server's library either, which would name subprotocols that nobody speaks."""
    token = await browser_token(daemon)
    socket = await socket_of(daemon, f"token.{token}")
    assert socket.subprotocol is None
    assert (await answer_on(socket, "system.ping", {}))["result"]
    await socket.close()
    x0x = await websockets.connect(
        daemon.ws_url("x0x", "/ws"),
        subprotocols=[f"token.{token}"],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Bearer {token}"},
        proxy=None,
    )
    await x0x.close()
    await daemon.stop()

    assert token not in daemon.log_tail()


async def test_browser_token_outlives_a_crash(daemon: Daemon) -> None:
    """Killed and started again, the daemon knows the page by its token, and an unused ticket."""
    token = await browser_token(daemon)
    made = json.loads(await daemon.hubbub("open", "--json"))
    daemon.kill()
    await daemon.start()

    assert (await post(daemon, "runs.list", {}, token))["result"] == {"runs": []}
    ticket = made["link"].partition("#ticket=")[2]
    assert "result" in await post(daemon, "tokens.redeem", {"ticket": ticket})


async def test_revoked_browser_is_closed_and_stays_out(daemon: Daemon) -> None:
    """`hubbub token list` shows it; after `revoke` its sockets and streams end."""
    token = await browser_token(daemon)
    socket = await socket_of(daemon, "hubbub", f"token.{token}")
    await answer_on(socket, "system.ping", {})
    async with HttpClient(daemon.url("hubbub"), token) as client:
        stream = await client.events("/events?topics=quiet")
        await stream.next()
        (row,) = json.loads(await daemon.hubbub("token", "list", "--json"))
        assert (row["agent"], row["kind"]) == ("operator", "browser")
        assert "operator" in await daemon.hubbub("token", "list")

        assert await daemon.hubbub("token", "revoke", row["id"]) == "1 revoked\n"

        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        with pytest.raises(EOFError):
            await stream.next()
    assert (await post(daemon, "runs.list", {}, token))["error"]["code"] == "unauthorized"
    assert json.loads(await daemon.hubbub("token", "list", "--json")) == []


async def test_open_prints_a_link_and_starts_a_browser(daemon: Daemon, tmp_path: Path) -> None:
    """The link alone on its line; where no browser can be started the command says so."""
    link = await daemon.hubbub("open")
    assert re.fullmatch(rf"{daemon.url('hubbub')}/#ticket=[0-9a-f]{{64}}\n", link)
    assert daemon.token not in link
    shown = tmp_path / "shown"
    fake = tmp_path / "browser"
    fake.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    fake.chmod(0o755)
    daemon.env["BROWSER"] = f"{fake} %s"

    link = await daemon.hubbub("open", "--browser")

    assert shown.read_text() == link
    fake.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(AssertionError, match="open the link by hand"):
        await daemon.hubbub("open", "--browser")
    with pytest.raises(AssertionError, match="exclude each other"):
        await daemon.hubbub("open", "--read-only", "--admin")


# -- a real browser ----------------------------------------------------------------------

COME_IN = """async ticket => {
  const body = JSON.stringify(
    {jsonrpc: "2.0", id: 1, method: "tokens.redeem", params: {ticket}});
  const answer = await (await fetch("/rpc", {method: "POST", body})).json();
  const url = location.origin.replace("http", "ws") + "/rpc";
  const socket = new WebSocket(url, ["hubbub", "token." + answer.result.token]);
  return await new Promise((done, failed) => {
    socket.onerror = failed;
    socket.onopen = () =>
      socket.send(JSON.stringify({jsonrpc: "2.0", id: 2, method: "system.ping"}));
    socket.onmessage = event => done([socket.protocol, JSON.parse(event.data).id]);
  });
}"""

BREAK_OUT = """async elsewhere => {
  const broken = new Promise(done => {
    const seen = new Set();
    document.addEventListener("securitypolicyviolation", event => {
      seen.add(event.effectiveDirective);
      if (seen.size === 6) done([...seen].sort());
    });
  });
  const script = document.createElement("script");
  try { script.textContent = "window.pwned = 1"; } catch {}
  const inline = document.createElement("div");
  inline.setAttribute("style", "color: red");
  document.body.append(inline);
  const button = document.createElement("button");
  button.setAttribute("type", "button");
  document.body.append(button);
  try { document.body.innerHTML = "<img src=x onerror='window.pwned = 1'>"; } catch {}
  const image = new Image(); image.src = elsewhere + "/x.png";
  fetch(elsewhere + "/rpc").catch(() => {});
  const frame = document.createElement("iframe"); frame.src = elsewhere;
  document.body.append(frame);
  const base = document.createElement("base"); base.href = elsewhere;
  document.head.append(base);
  return [await broken, window.pwned === undefined];
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium")
async def test_chromium_comes_in_and_its_page_cannot_break_out(daemon: Daemon) -> None:
    """The policy lets the page's own socket through, and nothing inline or from elsewhere."""
    made = await post(daemon, "tokens.ticket", {}, daemon.token)
    elsewhere = daemon.url("crosslink")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            page = await browser.new_page()
            await page.goto(daemon.url("hubbub", "/"))
            came_in = await page.evaluate(COME_IN, made["result"]["ticket"])
            directives, unharmed = await page.evaluate(BREAK_OUT, elsewhere)
        finally:
            await browser.close()

    assert came_in == ["hubbub", 2]
    assert unharmed
    assert directives == [
        "base-uri",
        "connect-src",
        "frame-src",
        "img-src",
        "require-trusted-types-for",
        "style-src-attr",
    ]
