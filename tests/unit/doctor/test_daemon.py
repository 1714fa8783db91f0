"""What the doctor finds in addresses and in a running daemon."""

import os
import resource
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubbub.config import Listen, Settings
from hubbub.doctor import Finding
from hubbub.doctor.addresses import look_at_addresses, taken_by
from hubbub.doctor.daemon import environment, look_at_daemon


linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
HEALTH: dict[str, Any] = {
    "reasons": [],
    "listeners": [{"name": "car", "url": "http://127.0.0.1:9100", "refused": 0}],
    "limits": [],
}
OFF = Listen(hubbub="", x0x="", crosslink="", car="127.0.0.1:0", openclaw="")


@pytest.fixture
def taken() -> Iterator[str]:
    """Give an address on which we listen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def look(settings: Settings | None = None, **health: Any) -> dict[str, Finding]:
    """Look at a daemon that says this of itself: findings by what they are about."""
    findings = look_at_daemon({**HEALTH, **health}, os.getpid(), settings)
    return {found.what: found for found in findings}


@linux
def test_taken_address_is_found_with_who_has_it(taken: str) -> None:
    """Name and pid of the program, and how to go elsewhere."""
    settings = Settings(listen=Listen(hubbub="", x0x=taken, crosslink="", openclaw=""))

    found = {found.what: found for found in look_at_addresses(settings)}

    assert not found["x0x"].ok
    assert found["x0x"].detail.startswith(f"{taken} is taken by ")
    assert f"(pid {os.getpid()})" in found["x0x"].detail
    assert "--listen x0x=127.0.0.1:0" in found["x0x"].fix
    assert set(found) == {"x0x", "car"}


def test_free_address_is_well() -> None:
    """Also of the other family."""
    assert [found.ok for found in look_at_addresses(Settings(listen=OFF))] == [True]
    if socket.has_ipv6:
        assert taken_by("::1", 0) is None


def test_address_that_cannot_be_had_has_an_owner_of_some_kind() -> None:
    """Where nobody can be named, somebody is."""
    assert taken_by("203.0.113.1", 0) == "another program"


def test_store_that_takes_no_writes_is_found() -> None:
    """With the daemon's own reasons."""
    found = look(Settings(), reasons=["the store cannot write now"])

    assert not found["store"].ok
    assert "store_failed" in found["store"].fix
    assert look(Settings())["store"].ok


@linux
def test_closed_door_is_shown_with_who_has_its_address(taken: str) -> None:
    """That is no fault: it may be meant; without settings its address is not known."""
    found = look(Settings(listen=Listen(x0x=taken)))["x0x"]

    assert found.ok
    assert "its address is taken by" in found.detail
    assert look(None)["x0x"].detail == "not open"


def limit(name: str, value: float, used: int | None) -> dict[str, object]:
    """Make what a daemon says of a limit."""
    return {"name": name, "value": value, "unit": "connections", "used": used}


def test_limits_nearly_reached_are_found() -> None:
    """From four fifths on; those that are not counted, or set no limit, are nobody's fault."""
    limits = [limit("a.b", 10, 8), limit("c", 10, 7), limit("d", 10, None), limit("e", 0, 99)]

    found = {what: one for what, one in look(limits=limits).items() if what.startswith("limit")}

    (near,) = found.values()
    assert (near.ok, near.what, near.detail) == (False, "limit a.b", "8 of 10 connections in use")
    assert near.fix == "raise a.b in config.toml, then restart"


def test_what_limits_have_refused_is_shown() -> None:
    """It may be just what they are for."""
    car = {**HEALTH["listeners"][0], "refused": 5}

    found = look(listeners=[car])["car"]

    assert (found.ok, found.detail) == (
        True,
        "http://127.0.0.1:9100; 5 refused by limits since the start",
    )
    assert "docs/limits.md" in found.fix


@linux
def test_open_files_nearly_used_up_are_found() -> None:
    """By what the system says of the process."""
    assert look(Settings())["open files"].ok
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 2, hard))
    try:
        found = look(Settings())["open files"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert not found.ok
    assert "ulimit -Hn" in found.fix


def test_process_that_cannot_be_read_has_nothing_to_show() -> None:
    """Another user's, or one that has just ended: our own environment stands in."""
    findings = look_at_daemon(HEALTH, 2**22 + 1, None)

    assert "open files" not in {found.what for found in findings}
    assert environment(2**22 + 1) is os.environ
    assert environment(None) is os.environ
    if sys.platform == "linux":
        assert environment(os.getpid())["PATH"]
