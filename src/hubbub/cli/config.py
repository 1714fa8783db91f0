"""``hubbub config``: the settings, and where each comes from."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import structs

from hubbub.cli import options, output


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@click.option(
    "--config",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Settings; without it, config.toml in the data directory.",
)
@options.data_dir
@options.as_json
def show(data_dir: Path | None, *, file: Path | None, origin: bool, as_json: bool) -> None:
    """Show the settings with which `hubbub serve` would start here, as TOML."""
    from hubbub.provenance import DEFAULT, load

    flags = {} if data_dir is None else {"data_dir": data_dir}
    loaded = load(flags=flags, environ=os.environ, config=file)
    values = dict(_values(loaded.settings, ()))
    origins = {key: loaded.origins.get(key, DEFAULT) for key in values}
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


def _key(name: str) -> str:
    """Quote a name as TOML wants it."""
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else f'"{name}"'
