"""What ``x0xd`` would do with its flags and its configuration file.

Source: x0x 0.39.3. Keys and flags that steer x0x's own network are accepted and have no
effect; unknown ones are ignored, as x0xd does.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import platformdirs

from hubbub.errors import StartError


API_ADDRESS = "127.0.0.1:12700"
ANY_PORT = "127.0.0.1:0"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_LEVELS = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "error": "error",
    "off": "error",
}


class X0xdConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of ``config.toml`` that mean something here."""

    api_address: str | None = None
    """``HOST:PORT``; port 0 takes a free one."""
    data_dir: str | None = None
    instance_name: str | None = None
    """Accepted; keys are kept in the data directory, whatever the instance is called."""
    identity_dir: str | None = None
    """Accepted, as ``instance_name``."""
    log_level: str = "warn"
    log_format: str = "text"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how to serve."""

    api_address: str
    data_dir: Path
    instance_name: str | None
    log_level: str
    log_json: bool


def data_dir(name: str | None) -> Path:
    """Give the platform's data directory of an instance; ``None`` is the one without a name."""
    return Path(platformdirs.user_data_dir(_folder(name)))


def config_file(name: str | None) -> Path:
    """Give the configuration file that an instance reads when none is named."""
    return Path(platformdirs.user_config_dir(_folder(name))) / "config.toml"


def check_name(name: str) -> str:
    """Give an instance's name back if it may be one.

    Raises:
        StartError: It may not.
    """
    if not _NAME.fullmatch(name):
        message = (
            f"invalid instance name {name!r}: 1 to 64 ASCII letters, digits or '-', "
            "and no '-' in front"
        )
        raise StartError(message)
    return name


def read(path: Path | None, name: str | None) -> X0xdConfig:
    """Read a configuration file, or else the instance's own where there is one.

    Raises:
        StartError: It cannot be read, is not TOML, or a value has the wrong type.
    """
    if path is None:
        path = config_file(name)
        if not path.exists():
            return X0xdConfig()
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), X0xdConfig)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        message = f"configuration {path}: {error}"
        raise StartError(message) from error


def plan(
    config: X0xdConfig, *, name: str | None, api_port: int | None, environment: Mapping[str, str]
) -> Plan:
    """Join configuration, flags and environment.

    Args:
        name: Value of ``--name``; such an instance has its own directory and a free port.
        api_port: Value of ``--api-port``.

    Raises:
        StartError: A name or an address cannot be.
    """
    instance = name or config.instance_name
    if instance is not None:
        check_name(instance)
    address = config.api_address or (API_ADDRESS if name is None else ANY_PORT)
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit()):
        message = f"api_address {address!r} must be HOST:PORT"
        raise StartError(message)
    # RUST_LOG wins in x0xd; of its directives only a general level means something here.
    asked = environment.get("RUST_LOG", "").partition(",")[0].strip().lower()
    level = _LEVELS.get(asked) or _LEVELS.get(config.log_level.lower(), "warning")
    return Plan(
        api_address=address if api_port is None else f"{host}:{api_port}",
        data_dir=Path(config.data_dir) if config.data_dir else data_dir(name),
        instance_name=instance,
        log_level=level,
        log_json=config.log_format.lower() == "json",
    )


def _folder(name: str | None) -> str:
    return "x0x" if name is None else f"x0x-{name}"
