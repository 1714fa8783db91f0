"""Secrets: in no log, in no error, and in nothing that `config show` prints."""

import json
from typing import Any

import pytest

from tests.clients.frames import FrameSocket, SocketEnded, refusal
from tests.clients.guests import Guests
from tests.clients.http import HttpClient
from tests.clients.openclaw import connect_params
from tests.conftest import StartDaemon
from tests.daemon import Daemon


KEY = "sk-5ecret5ecret5ecret"
WRONG = "wr0ngt0ken" * 6

CONFIG = """
[log]
level = "debug"
json = true
[agents.main]
runner = "openai"
base_url = "http://user:p455w0rd@127.0.0.1:9/v1"
model = "m"
api_key_env = "MODEL_KEY"
options = { headers = { "X-Api-Key" = "0pt10nkey" }, temperature = 0.5 }
[agents.tool]
runner = "command"
command = ["agent", "--token", "c0mmandt0ken", "--api-key=c0mmandkey", "--plain", "shown"]
"""

IN_SETTINGS = ("p455w0rd", "0pt10nkey", "c0mmandt0ken", "c0mmandkey")


async def knock(daemon: Daemon, token: str, seen: list[str]) -> None:
    """Show a token at every door, wherever its clients carry one, rightly and wrongly."""
    for door, path in (("x0x", "/status"), ("crosslink", "/api/v1/issues"), ("hubbub", "/events")):
        for way in ("bearer", "query", "scheme"):
            headers = {"Authorization": f"{'Basic' if way == 'scheme' else 'Bearer'} {token}"}
            target = f"{path}?token={token}" if way == "query" else path
            if path == "/events":
                mark = "&" if way == "query" else "?"
                target += f"{mark}topics={','.join(map(str, range(400)))}"
            async with HttpClient(daemon.url(door)) as client:
                answer = await client.request(
                    "GET", target, headers={} if way == "query" else headers
                )
                seen.append(answer.text)
            async with HttpClient(daemon.url(door), token) as client:
                for method, where in (("POST", path), ("GET", f"/nowhere/{way}")):
                    seen.append((await client.request(method, where, data="{")).text)
    for door, path in (("x0x", "/ws"), ("hubbub", "/rpc"), ("crosslink", "/ws")):
        await refusal(daemon.ws_url(door, f"{path}?token={token}"))
        await refusal(daemon.ws_url(door, path), headers={"Authorization": f"Bearer {token}"})
    for params in ({"token": token}, {"host_token": token}, {"token": [token]}):
        call = {"jsonrpc": "2.0", "id": 1, "method": "session.auth", "params": params}
        await talk(daemon, "car", [call, {**call, "method": token}], seen)
    for change in ({}, {"role": "nobody"}, {"auth": {"password": token}}, {"minProtocol": 9}):
        params = connect_params(token, **change)
        request = {"type": "req", "id": "1", "method": "connect", "params": params}
        await talk(daemon, "openclaw", [request], seen)


async def talk(daemon: Daemon, door: str, frames: list[Any], seen: list[str]) -> None:
    """Send frames; keep the answers, as long as there are any."""
    async with await FrameSocket.open(daemon.ws_url(door)) as socket:
        for frame in frames:
            try:
                await socket.send(frame)
                answer = await socket.receive()
            except (SocketEnded, OSError):
                return
            # Whoever sends a secret as the name of a method gets that name back, and nobody else.
            if frame.get("method") in {"session.auth", "connect"}:
                seen.append(json.dumps(answer))


async def test_no_log_and_no_answer_repeats_a_secret(
    start_daemon: StartDaemon, guests: Guests
) -> None:
    """All tokens on all doors at log level debug, with good and bad requests."""
    daemon = await start_daemon(CONFIG, args=["--json"], env={"MODEL_KEY": KEY})
    agent = await daemon.agent_token("ann")
    session = await (await guests.x0x(daemon)).session_token()
    secrets = {daemon.token, daemon.host_token, agent, session, WRONG}
    seen: list[str] = []
    for token in sorted(secrets):
        await knock(daemon, token, seen)
    rpc = await guests.rpc(daemon)
    await rpc.call("chat.send", {"session": "main", "message": "hi", "idempotency_key": "k"})
    socket = await guests.x0x_socket(daemon)
    await socket.send({"type": "publish", "topic": "", "payload": ""})
    await socket.receive()
    commands = (["status"], ["doctor"], ["status", "--json"], ["token", "list", "--json"])
    seen += [await daemon.hubbub(*command) for command in commands]
    await daemon.stop()

    log = daemon.log_file.read_text()
    assert '"level":"info"' in log.replace(": ", ":"), "there is a log to look at"
    for secret in (*secrets, KEY, *IN_SETTINGS):
        assert secret not in log, f"{secret[:12]}… is in the log"
        assert not [text for text in seen if secret in text], f"{secret[:12]}… is in an answer"


@pytest.mark.parametrize("form", [[], ["--json"], ["--origin"], ["--json", "--origin"]])
async def test_config_show_masks_what_may_be_a_secret(
    start_daemon: StartDaemon, form: list[str]
) -> None:
    """Names of variables and files are shown, and where each value comes from; secrets are not."""
    daemon = await start_daemon(CONFIG, env={"MODEL_KEY": KEY})

    shown = await daemon.hubbub("config", "show", "--config", str(daemon.config_file), *form)

    for secret in (*IN_SETTINGS, KEY, daemon.token, daemon.host_token):
        assert secret not in shown
    for plain in (
        "MODEL_KEY",
        "--plain",
        "shown",
        "http://user:***@127.0.0.1:9/v1",
        "--api-key=***",
    ):
        assert plain in shown
    assert ("config.toml" in shown) == ("--origin" in form)


async def test_wide_modes_are_mended_with_a_warning(start_daemon: StartDaemon) -> None:
    """The daemon starts, says what it has mended, and nobody else can read it any more."""
    daemon = await start_daemon()
    await daemon.stop()
    token_file = daemon.data_dir / "api-token"
    token_file.chmod(0o644)
    daemon.data_dir.chmod(0o755)

    await daemon.start()

    assert daemon.data_dir.stat().st_mode & 0o777 == 0o700
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert daemon.log_tail().count("mode_mended") == 2
