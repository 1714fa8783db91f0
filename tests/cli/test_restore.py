"""Backups that are brought back, or refused with nothing changed."""

import contextlib
import json
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.cli.commands import hubbub as run
from tests.clients.guests import Guests
from tests.conftest import StartDaemon
from tests.daemon import Daemon


async def test_restore_is_refused_while_a_daemon_runs_or_a_store_is_there(
    daemon: Daemon, tmp_path: Path
) -> None:
    """Exit code 3 and 1; nothing is changed. With --force the old store is kept."""
    file = str(tmp_path / "b.tar")
    await run(daemon, "publish", "t", "1")
    await run(daemon, "backup", file)

    running = await run(daemon, "restore", file, "--force")
    await daemon.stop()
    store = (daemon.data_dir / "hubbub.db").read_bytes()
    there = await run(daemon, "restore", file)

    assert (running.code, there.code) == (3, 1)
    assert "another hubbub uses" in running.err
    assert "replace it with --force" in there.err
    assert (daemon.data_dir / "hubbub.db").read_bytes() == store
    forced = await run(daemon, "restore", file, "--force")
    assert forced.code == 0
    assert "next: hubbub serve" in forced.out
    (kept,) = daemon.data_dir.glob("before-restore-*")
    assert (kept / "hubbub.db").read_bytes() == store
    assert f"what was there before is in {kept}" in forced.out


async def test_settings_that_are_there_are_not_replaced(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    """Those of the backup come to lie beside them; into an empty place they come as they are."""
    daemon = await start_daemon()
    (daemon.data_dir / "config.toml").write_text("[store]\nreaders = 3\n")
    file = str(tmp_path / "b.tar")
    await run(daemon, "backup", file)
    await daemon.stop()
    (daemon.data_dir / "config.toml").write_text("[store]\nreaders = 4\n")

    await run(daemon, "restore", file, "--force")
    empty = tmp_path / "empty"
    await run(daemon, "restore", file, "--data-dir", str(empty))

    assert "4" in (daemon.data_dir / "config.toml").read_text()
    assert "3" in (daemon.data_dir / "config.toml.from-backup").read_text()
    assert "3" in (empty / "config.toml").read_text()
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700


async def test_daemon_does_not_start_on_half_a_restore(daemon: Daemon, tmp_path: Path) -> None:
    """It names the command that finishes it; that needs no --force."""
    file = tmp_path / "b.tar"
    await run(daemon, "backup", str(file))
    await daemon.stop()
    (daemon.data_dir / "restoring").write_text(f"{file}\n")

    refused = await run(daemon, "serve", "--only", "hubbub", "--listen", "hubbub=127.0.0.1:0")
    command = f"hubbub restore --data-dir {daemon.data_dir} {file}"
    finished = await run(daemon, *command.split()[1:])

    assert refused.code == 3
    assert f"finish it with `{command}`" in refused.err
    assert finished.code == 0
    await daemon.start()


@pytest.mark.parametrize("damage", ["cut", "bit", "text", "manifest"])
async def test_damaged_backup_changes_nothing(daemon: Daemon, tmp_path: Path, damage: str) -> None:
    """It is found before a file has moved: one line, exit code 1."""
    file = tmp_path / "b.tar"
    await run(daemon, "publish", "t", json.dumps("needle" * 50))
    await run(daemon, "backup", str(file))
    data = file.read_bytes()
    file.write_bytes(
        {
            "cut": data[: len(data) // 2],
            "bit": data.replace(b"needleneedle", b"needleNeedle", 1),
            "text": b"hello",
            "manifest": data.replace(b'"format": 1', b'"format": 9', 1),
        }[damage]
    )
    place = tmp_path / "place"

    done = await run(daemon, "restore", str(file), "--data-dir", str(place))

    assert done.code == 1
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) == 1
    assert not (place / "hubbub.db").exists()
    assert not list(place.glob("*restor*")) if place.exists() else True


async def test_newer_store_is_neither_saved_nor_brought_back(
    daemon: Daemon, tmp_path: Path
) -> None:
    """Exit code 3, as when a daemon is started on one; it is left as it is."""
    await daemon.stop()
    store = daemon.data_dir / "hubbub.db"
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.execute("PRAGMA user_version = 99")
    content = store.read_bytes()

    saved = await run(daemon, "backup", str(tmp_path / "b.tar"))
    place = tmp_path / "place"
    brought = await run(daemon, "restore", str(store), "--data-dir", str(place))

    assert (saved.code, brought.code) == (3, 3)
    assert "schema version 99" in saved.err
    assert "schema version 99" in brought.err
    assert store.read_bytes() == content
    assert not (place / "hubbub.db").exists()


async def test_file_of_a_store_can_be_restored_by_itself(
    daemon: Daemon, start_daemon: StartDaemon, guests: Guests, tmp_path: Path
) -> None:
    """As the one that is kept before a migration; the secrets of the place stay."""
    await run(daemon, "publish", "t", "7")
    await daemon.stop()

    other = await start_daemon()
    await other.stop()
    done = await run(other, "restore", str(daemon.data_dir / "hubbub.db"), "--force")
    token = other.token
    await other.start()

    assert done.code == 0
    assert other.token == token != daemon.token
    assert [e["data"] for e in await (await guests.rpc(other)).journal(topics=["t"])] == [7]
