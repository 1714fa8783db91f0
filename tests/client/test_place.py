"""Where a client looks for its daemon, and what it says when none is there."""

import json
from pathlib import Path

import pytest

from hubbub.client import Unreachable
from hubbub.client.place import finder


def daemon_in(folder: Path, **listeners: object) -> Path:
    """Leave the files of a daemon."""
    folder.mkdir(exist_ok=True)
    (folder / "listeners.json").write_text(json.dumps({"pid": 7, **listeners}))
    (folder / "api-token").write_text("operator\n")
    return folder


def test_data_directory_tells_address_and_token(tmp_path: Path) -> None:
    """Anew at each look: a daemon may come back on another port."""
    find = finder(data_dir=daemon_in(tmp_path, hubbub="http://one"), environ={})
    assert (find().url, find().token, find().pid) == ("http://one", "operator", 7)
    daemon_in(tmp_path, hubbub="http://two")
    assert find().url == "http://two"


def test_what_is_given_goes_before_the_variables(tmp_path: Path) -> None:
    """And these go before the data directory; a directory that is given goes before them."""
    folder = daemon_in(tmp_path, hubbub="http://folder")
    variables = {
        "HUBBUB_URL": "http://variable/",
        "HUBBUB_TOKEN": "theirs",
        "HUBBUB_DATA_DIR": str(folder),
    }
    found = finder(environ=variables)()
    assert (found.url, found.token, found.pid, found.tls) == ("http://variable", "theirs", 0, None)
    found = finder(url="http://given", token="mine", environ=variables)()
    assert (found.url, found.token) == ("http://given", "mine")
    assert finder(data_dir=folder, environ=variables)().url == "http://folder"
    place = finder(url="http://given", environ={"HUBBUB_DATA_DIR": str(folder)})()
    assert place.token == "operator"


def test_platform_has_a_directory_for_who_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same as for the daemon."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / name))
    daemon_in(tmp_path / "hubbub", hubbub="http://home")
    assert finder(environ={})().url == "http://home"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """No daemon, no listener, no JSON, no certificate, no text."""
    find = finder(data_dir=tmp_path, environ={})
    with pytest.raises(Unreachable, match=r"no daemon runs on .*; start one with `hubbub serve"):
        find()
    daemon_in(tmp_path, x0x="http://x")
    with pytest.raises(Unreachable, match="runs without hubbub's own listener"):
        find()
    (tmp_path / "listeners.json").write_text("{")
    with pytest.raises(Unreachable, match=r"cannot read .*listeners\.json"):
        find()
    daemon_in(tmp_path, hubbub="https://safe")
    with pytest.raises(Unreachable, match=r"tls-cert\.pem.*give --tls-ca"):
        find()
    (tmp_path / "tls-cert.pem").write_text("no certificate")
    with pytest.raises(Unreachable, match=r"tls-cert\.pem.*give --tls-ca"):
        find()
    with pytest.raises(Unreachable, match=r"none\.pem"):
        finder(data_dir=tmp_path, tls_ca=tmp_path / "none.pem", environ={})()
    (tmp_path / "api-token").write_bytes(b"\xff")
    with pytest.raises(Unreachable, match=r"cannot read .*api-token"):
        find()


def test_address_of_its_own_is_checked_by_the_systems_authorities(tmp_path: Path) -> None:
    """What lies in some data directory says nothing about a daemon elsewhere."""
    folder = daemon_in(tmp_path)
    (folder / "tls-cert.pem").write_text("another daemon's")
    find = finder(url="https://far", environ={"HUBBUB_DATA_DIR": str(folder)})
    assert find().tls is None
