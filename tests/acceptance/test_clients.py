"""The cache of real clients: whole or not at all, and never twice. Runs with every suite."""

from pathlib import Path

import pytest

from tests.acceptance.clients import Clients, Unavailable


def test_client_is_installed_once(tmp_path: Path) -> None:
    """The second request for a client finds what the first has installed."""
    installs: list[Path] = []

    def install(target: Path) -> None:
        installs.append(target)
        (target / "program").write_text("here")

    clients = Clients(tmp_path / "cache")
    first = clients.installed("client-1", install)
    second = clients.installed("client-1", install)

    assert first == second
    assert (second / "program").read_text() == "here"
    assert len(installs) == 1


def test_broken_install_leaves_nothing(tmp_path: Path) -> None:
    """After an install that fails half-way the next one starts from nothing."""

    def install(target: Path) -> None:
        (target / "half").write_text("")
        reason = "no network"
        raise Unavailable(reason)

    clients = Clients(tmp_path / "cache")
    with pytest.raises(Unavailable, match="no network"):
        clients.installed("client-1", install)

    assert list((tmp_path / "cache").iterdir()) == []


def test_cache_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HUBBUB_ACCEPTANCE_CACHE names the folder."""
    monkeypatch.setenv("HUBBUB_ACCEPTANCE_CACHE", str(tmp_path / "elsewhere"))

    assert Clients.default().folder == (tmp_path / "elsewhere").resolve()
