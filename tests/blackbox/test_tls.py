"""TLS on listeners: https and wss with a certificate made here, and what is refused without one."""

import json
import ssl
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import websockets
from cryptography.hazmat.primitives import serialization

from hubbub.transport.tls import server_context
from tests.clients.certificates import Files, make_certificate
from tests.clients.waiting import PATIENCE_S
from tests.conftest import StartDaemon
from tests.daemon import DOORS, Daemon


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """One certificate for the whole module."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def trust(files: Files) -> ssl.SSLContext:
    """Trust that certificate alone, name and all."""
    return ssl.create_default_context(cafile=str(files.cert))


async def test_every_listener_speaks_https_and_wss(start_daemon: StartDaemon, files: Files) -> None:
    """`listeners.json` says so; requests, sockets and streams work; plain HTTP gets no answer."""
    daemon = await start_daemon(args=files.flags)
    bearer = {"Authorization": f"Bearer {daemon.token}"}
    paths = {"hubbub": "/rpc", "x0x": "/ws", "crosslink": "/ws"}
    for door in DOORS:
        assert daemon.url(door).startswith("https://127.0.0.1:")
        url = daemon.ws_url(door, paths.get(door, "/"))
        assert url.startswith("wss://")
        async with websockets.connect(
            url, ssl=trust(files), additional_headers=bearer, proxy=None
        ) as socket:
            await (await socket.ping())
    async with aiohttp.ClientSession() as http:
        async with http.get(daemon.url("hubbub", "/openrpc.json"), ssl=trust(files)) as answer:
            shown = await answer.text()
        assert f"{daemon.url('hubbub')}/rpc" in shown
        assert "<title>hubbub" in await _page(http, daemon, files)
        with pytest.raises(aiohttp.ClientError):
            await http.get("http" + daemon.url("hubbub", "/healthz").removeprefix("https"))
    await daemon.logged(f"https://{daemon.address('car')[0]}")


async def _page(http: aiohttp.ClientSession, daemon: Daemon, files: Files) -> str:
    async with http.get(daemon.url("hubbub", "/"), ssl=trust(files)) as answer:
        return await answer.text()


async def test_commands_know_the_daemon_by_the_certificate_it_left(
    start_daemon: StartDaemon, files: Files
) -> None:
    """No flag is needed on the daemon's own machine; the file goes when the daemon does."""
    daemon = await start_daemon(args=files.flags)
    left = daemon.data_dir / "tls-cert.pem"
    assert left.read_text() == files.cert.read_text()

    status = json.loads(await daemon.hubbub("status", "--json"))

    assert status["listeners"]["hubbub"] == daemon.url("hubbub")
    made = json.loads(await daemon.hubbub("token", "new", "--agent", "ann", "--json"))
    assert made["token"].isalnum()
    assert "https://" in await daemon.hubbub("doctor")
    await daemon.stop()
    assert not left.exists()


async def test_tls_ca_says_whom_to_trust_instead(
    start_daemon: StartDaemon, files: Files, tmp_path: Path
) -> None:
    """The right authority is as good as the file; another certificate is not, nor is none."""
    daemon = await start_daemon(args=files.flags)
    assert "ready: yes" in await daemon.hubbub("status", "--tls-ca", str(files.cert))
    foreign = make_certificate(tmp_path, "foreign")

    with pytest.raises(AssertionError, match=r"(?i)certificate.verify failed"):
        await daemon.hubbub("status", "--tls-ca", str(foreign.cert))
    (daemon.data_dir / "tls-cert.pem").write_bytes(foreign.cert.read_bytes())
    with pytest.raises(AssertionError, match=r"(?i)certificate.verify failed"):
        await daemon.hubbub("status")
    (daemon.data_dir / "tls-cert.pem").unlink()
    with pytest.raises(AssertionError, match="give --tls-ca"):
        await daemon.hubbub("status")


async def test_listener_has_its_own_certificate_or_none(
    start_daemon: StartDaemon, files: Files, tmp_path: Path
) -> None:
    """What stands under `listen.tls.NAME` holds for that listener; empty means plain HTTP."""
    own = make_certificate(tmp_path, "own")
    daemon = await start_daemon(
        f'[listen]\ntls_cert = "{files.cert}"\ntls_key = "{files.key}"\n'
        f'[listen.tls.car]\ncert = "{own.cert}"\nkey = "{own.key}"\n'
        '[listen.tls.x0x]\ncert = ""\n'
    )
    assert daemon.url("x0x").startswith("http://")
    assert (daemon.data_dir / "api.port").read_text() == "{}:{}".format(*daemon.address("x0x"))
    async with websockets.connect(daemon.ws_url("car"), ssl=trust(own), proxy=None):
        pass
    with pytest.raises(ssl.SSLCertVerificationError):
        await websockets.connect(daemon.ws_url("openclaw"), ssl=trust(own), proxy=None)


async def test_tls_is_at_least_1_2(start_daemon: StartDaemon, files: Files) -> None:
    """1.2 itself is taken; what is older, the library refuses in the handshake."""
    daemon = await start_daemon(args=files.flags)
    url = daemon.url("hubbub", "/healthz")
    context = trust(files)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with aiohttp.ClientSession() as http, http.get(url, ssl=context) as answer:
        assert answer.status == 200
    assert server_context(*files).minimum_version == ssl.TLSVersion.TLSv1_2


def serve(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Start a daemon that cannot start, and give how it ended."""
    daemon = Daemon(tmp_path)
    command = [sys.executable, "-m", "hubbub", "serve", "--data-dir", str(daemon.data_dir)]
    for door in DOORS:
        command += ["--listen", f"{door}=127.0.0.1:0"]
    return subprocess.run(
        [*command, *args],
        env=daemon.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("wrong", ["missing", "text", "other key", "folder"])
def test_wrong_file_ends_with_code_3(tmp_path: Path, files: Files, wrong: str) -> None:
    """The text names the file; nothing is written."""
    cert, key = files
    if wrong == "missing":
        cert = tmp_path / "no such file"
    elif wrong == "text":
        key = tmp_path / "text.key"
        key.write_text("not a key")
    elif wrong == "folder":
        cert = tmp_path
    else:
        key = make_certificate(tmp_path, "other").key

    done = serve(tmp_path, *Files(cert, key).flags)

    assert done.returncode == 3, done.stderr
    assert str(cert if wrong in {"missing", "folder"} else key) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_key_with_a_passphrase_ends_with_code_3(tmp_path: Path, files: Files) -> None:
    """A daemon cannot ask anybody for it."""
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    done = serve(tmp_path, *Files(files.cert, locked).flags)

    assert done.returncode == 3
    assert "no passphrase" in done.stderr


def test_certificate_without_key_is_a_wrong_setting(tmp_path: Path, files: Files) -> None:
    """Exit code 2, as for any other value that cannot be."""
    done = serve(tmp_path, "--tls-cert", str(files.cert))

    assert done.returncode == 2
    assert "belong together" in done.stderr


def test_listening_beyond_loopback_needs_tls_or_the_override(tmp_path: Path) -> None:
    """The refusal names both ways out."""
    done = serve(tmp_path, "--listen", "car=0.0.0.0:0")

    assert done.returncode == 2
    assert "--tls-cert" in done.stderr
    assert "--insecure-listen" in done.stderr


async def test_listening_beyond_loopback_with_tls(start_daemon: StartDaemon, files: Files) -> None:
    """TLS on that listener is enough."""
    config = f'[listen.tls.car]\ncert = "{files.cert}"\nkey = "{files.key}"\n'

    daemon = await start_daemon(config, args=["--listen", "car=0.0.0.0:0"])

    assert daemon.url("car").startswith("https://0.0.0.0:")


async def test_demo_talks_over_tls(start_daemon: StartDaemon, files: Files) -> None:
    """Its two agents know the certificate, like any command here."""
    daemon = await start_daemon(args=[*files.flags, "--demo"])

    said = await daemon.hubbub("tail", "lobby", "--count", "1", "--json")

    assert json.loads(said.splitlines()[0])["topic"] == "lobby"
