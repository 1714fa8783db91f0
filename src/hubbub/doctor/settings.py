"""What the settings name: programs, variables, certificates."""

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography import x509

from hubbub.config import LISTENERS, Settings
from hubbub.core.chat.agents import AgentSettings
from hubbub.data_directory import CERTIFICATE
from hubbub.doctor.finding import Finding, bad, good
from hubbub.errors import StartError
from hubbub.transport.tls import server_context


SOON = dt.timedelta(days=14)
"""Time before its end from which a certificate should be replaced."""


def look_at_agents(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look whether agents can take their turns.

    Args:
        environ: The daemon's environment; ours, where none runs or it cannot be read.
    """
    for name, agent in settings.agents.items():
        if agent.runner == "command":
            yield _program(name, agent, environ)
        elif agent.runner == "openai" and agent.api_key_env is not None:
            yield _key(name, agent.api_key_env, environ)


def _program(name: str, agent: AgentSettings, environ: Mapping[str, str]) -> Finding:
    what = f"agent {name}"
    program = agent.command[0]
    if agent.cwd is not None and not Path(agent.cwd).is_dir():
        fix = f"make it, or correct agents.{name}.cwd in config.toml"
        return bad(what, f"there is no folder {agent.cwd} for it to start in", fix)
    # A path is found from the folder in which the program starts, a name in PATH.
    if "/" in program:
        place = Path(agent.cwd or ".") / program
        found = shutil.which(str(place.absolute()))
    else:
        found = shutil.which(program, path=environ.get("PATH"))
    if found is None:
        fix = f"install it, or correct agents.{name}.command in config.toml"
        return bad(what, f"there is no program {program!r} that can be started", fix)
    return good(what, f"starts {found}")


def _key(name: str, variable: str, environ: Mapping[str, str]) -> Finding:
    what = f"agent {name}"
    if environ.get(variable):
        return good(what, f"{variable} is set")
    fix = f"export {variable}=... before `hubbub serve`, or correct agents.{name}.api_key_env"
    return bad(what, f"{variable}, which is to hold its key, is not set", fix)


def look_at_certificates(settings: Settings, folder: Path, now: dt.datetime) -> Iterator[Finding]:
    """Look at every certificate of the settings, and at that with which a daemon runs now."""
    keys = {}
    for name in LISTENERS:
        files = settings.listen.files(name)
        if files is not None and settings.listen.address(name) is not None:
            keys[Path(files.cert)] = Path(files.key)
    for cert, key in keys.items():
        yield _pair(cert, key, now)
    running = folder / CERTIFICATE
    if running.exists() and not keys:
        yield _validity(running, now, "restart the daemon with a new certificate")


def _pair(cert: Path, key: Path, now: dt.datetime) -> Finding:
    try:
        server_context(cert, key)
    except StartError as error:
        fix = "correct listen.tls_cert and listen.tls_key (or listen.tls) in config.toml"
        return bad(f"certificate {cert}", str(error), fix)
    return _validity(cert, now, f"put a new pair into {cert} and {key}, then restart the daemon")


def _validity(cert: Path, now: dt.datetime, fix: str) -> Finding:
    what = f"certificate {cert}"
    found = x509.load_pem_x509_certificate(cert.read_bytes())
    begin, end = found.not_valid_before_utc, found.not_valid_after_utc
    if end <= now:
        return bad(what, f"has expired on {end:%Y-%m-%d}", fix)
    if begin > now:
        return bad(
            what, f"is valid only from {begin:%Y-%m-%d %H:%M} UTC", f"{fix}; or set the clock"
        )
    if end - now < SOON:
        return bad(what, f"expires on {end:%Y-%m-%d}", fix)
    return good(what, f"valid until {end:%Y-%m-%d}")
