"""``hubbub config``: the settings, and where each comes from."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import structs

from hubbub.cli import options, output


HIDDEN = "***"
"""Stands for a value that may be a secret."""

_SECRET = re.compile(r"(?i)(key|token|secret|passw|credential|authorization)")
_PLAIN = re.compile(r"agents\..*\.api_key_env|listen\.tls_key|listen\.tls\..*\.key")
"""Settings that sound like secrets and are names of variables or files."""
_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*:)[^/@\s]*@")


@click.group()
def config() -> None:
    """Look at the settings."""


def _complete(_context: object, _parameter: object, incomplete: str) -> list[str]:
    """Give the settings and sections that begin like this."""
    from hubbub.provenance import ANY, keys

    named = {".".join(key[:end]) for key, _ in keys() for end in range(1, len(key) + 1)}
    return sorted(
        name for name in named if name.startswith(incomplete) and ANY not in name.split(".")
    )


@config.command()
@click.argument("name", default="", shell_complete=_complete)
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@options.config
@options.data_dir
@options.as_json
def show(
    name: str, data_dir: Path | None, *, file: Path | None, origin: bool, as_json: bool
) -> None:
    """Show the settings with which `hubbub serve` would start here, as TOML.

    NAME is a setting (store.readers) or a section (store); without it, all are shown.
    """
    from hubbub.provenance import DEFAULT, load

    flags = {} if data_dir is None else {"data_dir": data_dir}
    loaded = load(flags=flags, environ=os.environ, config=file)
    found = {key: _masked(key, value) for key, value in _values(loaded.settings, ())}
    values = {key: value for key, value in found.items() if _is_of(key, name)}
    if not values:
        _explain_nothing(name)
    places = loaded.places() if origin else {}
    origins = {key: places.get(key.replace('"', ""), DEFAULT) for key in values}
    if as_json:
        shown = {
            key: {"value": value, "origin": origins[key]} if origin else value
            for key, value in values.items()
        }
        output.write_json(shown)
        return
    for key, value in values.items():
        line = f"{key} = {msgspec.json.encode(value, enc_hook=str).decode()}"
        click.echo(f"{line}  # {origins[key]}" if origin else line)


def _is_of(key: str, name: str) -> bool:
    """Say whether a setting has a name, or is of a section of that name."""
    return not name or key == name or key.startswith(f"{name}.")


def _explain_nothing(name: str) -> None:
    """Say why there is no such setting here.

    Raises:
        ConfigError: It is the name of no setting, or of one that stands under names that users
            choose, and nobody has chosen this one.
    """
    from hubbub.errors import ConfigError
    from hubbub.provenance import check_key

    check_key(name)
    message = f"nothing is set under {name!r}"
    raise ConfigError(message)


def _values(section: msgspec.Struct, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Give every setting by its dotted key."""
    from hubbub.config import DERIVED

    for field in structs.fields(section):
        value = getattr(section, field.name)
        here = (*path, field.name)
        if isinstance(value, msgspec.Struct):
            yield from _values(value, here)
        elif isinstance(value, dict) and all(isinstance(v, msgspec.Struct) for v in value.values()):
            for name, inner in value.items():
                yield from _values(inner, (*here, _key(name)))
        elif path or field.name not in DERIVED:
            yield ".".join(here), value


def _masked(key: str, value: Any) -> Any:
    """Hide what may be a secret; where it comes from is shown all the same.

    Settings hold no secrets by themselves. But fields of request bodies are free, programs are
    started with arguments, and addresses may carry a password.
    """
    if isinstance(value, dict):
        return {inner: _masked(inner, item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        flags = ("", *value)
        return [
            HIDDEN if str(flag).startswith("-") and _is_flag(str(flag)) else _masked("", word)
            for flag, word in zip(flags, value, strict=False)
        ]
    if not isinstance(value, str):
        return value
    if value and _SECRET.search(key.rpartition(".")[2]) and not _PLAIN.fullmatch(key):
        return HIDDEN
    flag, equals, _ = value.partition("=")
    if equals and _SECRET.search(flag):
        return f"{flag}={HIDDEN}"
    return _PASSWORD.sub(rf"\1{HIDDEN}@", value)


def _is_flag(word: str) -> bool:
    """Say whether the word after this one is a secret."""
    return "=" not in word and _SECRET.search(word) is not None


def _key(name: str) -> str:
    """Quote a name as TOML wants it."""
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else f'"{name}"'
