"""The files beside the store, as far as they outlive a daemon."""

from pathlib import Path

from hubbub.data_directory import DataDirectory


def test_addresses_of_a_killed_daemon_are_removed(tmp_path: Path) -> None:
    """What was told and never taken back goes, secrets stay, and the directory is free after."""
    killed = DataDirectory(tmp_path)
    killed.take()
    token = killed.operator_token()
    killed.tell_listeners({"x0x": "127.0.0.1:1"})
    killed.free()

    DataDirectory(tmp_path).forget_stale()

    assert not (tmp_path / "api.port").exists()
    assert not (tmp_path / "listeners.json").exists()
    heir = DataDirectory(tmp_path)
    heir.take()
    assert heir.operator_token() == token
    heir.free()


def test_addresses_of_a_running_daemon_stay(tmp_path: Path) -> None:
    """Another start that will fail takes nothing from the daemon that runs."""
    running = DataDirectory(tmp_path)
    running.take()
    running.tell_listeners({"x0x": "127.0.0.1:1"})

    DataDirectory(tmp_path).forget_stale()

    assert (tmp_path / "api.port").read_text() == "127.0.0.1:1"
    running.free()


def test_missing_directory_is_not_made(tmp_path: Path) -> None:
    """Looking for stale addresses leaves no trace."""
    DataDirectory(tmp_path / "none").forget_stale()
    assert not (tmp_path / "none").exists()
