"""What the doctor finds in what the settings name."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from hubbub.config import Listen, Settings
from hubbub.core.chat.agents import AgentSettings
from hubbub.doctor import Finding
from hubbub.doctor.settings import look_at_agents, look_at_certificates
from tests.clients.certificates import make_certificate


NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def agent(environ: dict[str, str], **settings: Any) -> Finding:
    """Look at one agent."""
    of_all = Settings(agents={"a": AgentSettings(**settings)})
    (found,) = look_at_agents(of_all, environ)
    return found


def openai(environ: dict[str, str]) -> Finding:
    """Look at an agent that needs a key."""
    return agent(
        environ, runner="openai", base_url="http://x/v1", model="m", api_key_env="MODEL_KEY"
    )


def test_program_is_looked_for_as_it_would_be_started(tmp_path: Path) -> None:
    """By name in the daemon's PATH, by path from the folder in which it starts."""
    program = tmp_path / "bin" / "my-agent"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = {"PATH": str(program.parent)}

    for command, cwd in (("my-agent", None), ("bin/my-agent", str(tmp_path)), (str(program), None)):
        found = agent(path, runner="command", command=(command,), cwd=cwd)
        assert (found.ok, found.detail) == (True, f"starts {program}")


@pytest.mark.parametrize(
    ("settings", "detail", "fix"),
    [
        ({"command": ("no-such-agent",)}, "no program 'no-such-agent'", "agents.a.command"),
        ({"command": ("./agent",)}, "no program './agent'", "agents.a.command"),
        ({"command": ("sh",), "cwd": "/no/such"}, "no folder /no/such", "agents.a.cwd"),
    ],
)
def test_program_that_cannot_start_is_found(
    settings: dict[str, Any], detail: str, fix: str
) -> None:
    """Before the first turn fails."""
    found = agent({"PATH": "/bin:/usr/bin"}, runner="command", **settings)

    assert not found.ok
    assert detail in found.detail
    assert fix in found.fix


def test_key_that_is_not_set_is_found() -> None:
    """The name of the variable is shown, never its value."""
    assert openai({"MODEL_KEY": "secret"}) == Finding("agent a", ok=True, detail="MODEL_KEY is set")
    found = openai({"MODEL_KEY": ""})
    assert not found.ok
    assert "export MODEL_KEY=" in found.fix
    assert list(look_at_agents(Settings(agents={"e": AgentSettings()}), {})) == []


@pytest.mark.parametrize(
    ("begin", "end", "ok", "detail"),
    [
        (-100, 200, True, "valid until 2027-06-09"),
        (-100, 13, False, "expires on 2026-12-04"),
        (-100, -1, False, "has expired on 2026-11-20"),
        (1, 200, False, "is valid only from 2026-11-22 00:00 UTC"),
    ],
)
def test_certificate_is_judged_by_its_days(
    tmp_path: Path, begin: int, end: int, *, ok: bool, detail: str
) -> None:
    """Two weeks before its end it is time for a new one; each file is looked at once."""
    cert, key = make_certificate(
        tmp_path, begin=NOW + dt.timedelta(days=begin), end=NOW + dt.timedelta(days=end)
    )
    listen = Listen(tls_cert=str(cert), tls_key=str(key))

    (found,) = look_at_certificates(Settings(listen=listen), tmp_path, NOW)

    assert (found.ok, found.detail) == (ok, detail)
    assert found.what == f"certificate {cert}"
    assert found.ok or "restart the daemon" in found.fix


def test_certificate_that_cannot_be_used_is_found(tmp_path: Path) -> None:
    """Before the daemon refuses to start with it."""
    listen = Listen(tls_cert=str(tmp_path / "c.pem"), tls_key=str(tmp_path / "k.pem"))

    (found,) = look_at_certificates(Settings(listen=listen), tmp_path, NOW)

    assert not found.ok
    assert "cannot read the TLS certificate" in found.detail
    assert "listen.tls_cert" in found.fix


def test_certificate_of_the_daemon_that_runs_is_judged(tmp_path: Path) -> None:
    """Where these settings name none, as when it was given by flags."""
    cert, _ = make_certificate(tmp_path, begin=NOW - dt.timedelta(9), end=NOW - dt.timedelta(1))
    cert.rename(tmp_path / "tls-cert.pem")

    (found,) = look_at_certificates(Settings(), tmp_path, NOW)

    assert found.detail == "has expired on 2026-11-20"
