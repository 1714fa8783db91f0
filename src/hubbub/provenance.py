"""Reads settings from flags, environment and file, and keeps where each value came from."""

import contextlib
import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import structs

from hubbub.config import DERIVED, LISTENERS, Settings
from hubbub.errors import ConfigError


PREFIX = "HUBBUB_"
NOT_SETTINGS = (
    "HUBBUB_CONFIG",
    "HUBBUB_TLS_CA",
    "HUBBUB_TEST_",
    "HUBBUB_KILL_",
    "HUBBUB_ACCEPTANCE_",
)
"""Beginnings of variables that are no settings: the file's path, and those of the test suite."""
DEFAULT = "default"
ANY = "NAME"
"""Stands in a key for a name that the user chooses."""

Key = tuple[str, ...]


class Given(msgspec.Struct, frozen=True):
    """A value as it was given."""

    value: Any
    origin: str
    """``flag --ephemeral``, ``variable HUBBUB_EPHEMERAL``, or the file's path."""
    is_text: bool = False
    """True for a flag or variable: numbers, lists and truth values come as text."""


class Loaded(msgspec.Struct, frozen=True):
    """Settings, and where they came from."""

    settings: Settings
    origins: Mapping[str, str]
    """Origin by key; a key that is not here has its default."""
    file: Path | None = None
    """The file that was read."""

    def places(self) -> dict[str, str]:
        """Give the origins; for what stands in the file, with its line: ``config.toml:3``."""
        lines = {} if self.file is None else lines_of(self.file)
        return {
            key: f"{origin}:{lines[key]}" if origin == str(self.file) and key in lines else origin
            for key, origin in self.origins.items()
        }


def load(
    *, flags: Mapping[str, Any], environ: Mapping[str, str], config: Path | None = None
) -> Loaded:
    """Put the settings of one daemon together.

    Args:
        flags: Values by key (``listen.x0x``); those that were not given are left out.
        environ: The process's environment.
        config: The file that ``--config`` names; ``None``: ``HUBBUB_CONFIG``, or
            ``config.toml`` in the data directory if there is one.

    Raises:
        ConfigError: A key is unknown or a value cannot be; the text says what is right.
    """
    given: dict[Key, Given] = {}
    variables = dict(_from_environment(environ))
    own = {
        tuple(key.split(".")): Given(value, f"flag {_flag(key)}", is_text=isinstance(value, str))
        for key, value in flags.items()
    }
    for key, value in own.items():
        if _type_of(key) is None:
            raise _unknown(key, value.origin)
    file = _file(config, environ, own.get(("data_dir",)) or variables.get(("data_dir",)))
    if file is not None:
        given.update(_from_file(file))
    given.update(variables)
    given.update(own)
    values = _section(Settings, (), given)
    explicit = frozenset(name for name in LISTENERS if ("listen", name) in given)
    origins = {".".join(key): value.origin for key, value in given.items()}
    return Loaded(structs.replace(values, explicit=explicit), origins, file)


def keys(cls: type[msgspec.Struct] = Settings, path: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Give the key of every setting with its type; a name that users choose is ``NAME``."""
    for field in structs.fields(cls):
        if not path and field.name in DERIVED:
            continue
        inner = _named(field.type)
        if inner is not None:
            yield from keys(inner, (*path, field.name, ANY))
        elif _is_struct(field.type):
            yield from keys(field.type, (*path, field.name))
        else:
            yield (*path, field.name), field.type


# -- where values come from ---------------------------------------------------------------


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[Key, Given]]:
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and not name.startswith(NOT_SETTINGS):
            key = tuple(name.removeprefix(PREFIX).lower().split("__"))
            origin = f"variable {name}"
            if _type_of(key) is None:
                raise _unknown(key, origin)
            yield key, Given(value, origin, is_text=True)


def _file(config: Path | None, environ: Mapping[str, str], data_dir: Given | None) -> Path | None:
    """Find the file to read; one that was asked for must be there."""
    asked = config or (Path(environ["HUBBUB_CONFIG"]) if environ.get("HUBBUB_CONFIG") else None)
    if asked is not None:
        return asked
    folder = Settings().data_dir if data_dir is None else Path(data_dir.value)
    file = folder / "config.toml"
    return file if file.exists() else None


def _from_file(file: Path) -> Iterator[tuple[Key, Given]]:
    try:
        with file.open("rb") as opened:
            table = tomllib.load(opened)
    except OSError as error:
        message = f"cannot read {file}: {error.strerror}"
        raise ConfigError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{file} is not TOML: {error}"
        raise ConfigError(message) from None
    if "data_dir" in table:
        message = f"{file}: data_dir is given by --data-dir or HUBBUB_DATA_DIR, not in a file"
        raise ConfigError(message)
    yield from _flattened(table, (), str(file))


def lines_of(file: Path) -> dict[str, int]:
    """Give the line of each setting of a file that can be read as TOML.

    The parser names no lines. So ever more of the file is parsed: a setting stands where it
    comes to be, whatever the quotes, dots and line breaks of its statement are.
    """
    lines = file.read_text("utf-8").split("\n")
    found: dict[str, int] = {}
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            table = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a statement of several lines
        with_text = (n for n in range(begin, end) if lines[n].strip(" \t")[:1] not in ("", "#"))
        first = next(with_text, begin)
        for key, _ in _flattened(table, (), str(file)):
            found.setdefault(".".join(key), first + 1)
        begin = end
    return found


def _flattened(table: Mapping[str, Any], path: Key, origin: str) -> Iterator[tuple[Key, Given]]:
    for name, value in table.items():
        key = (*path, name)
        given = Given(value, origin)
        if get_origin(_type_of(key)) is dict:
            yield key, given
        elif not isinstance(value, dict):
            if _is_table(key):
                message = f"{origin}: {name!r} is a table; write [{'.'.join(key)}]"
                raise ConfigError(message)
            if _type_of(key) is None:
                raise _unknown(key, origin)
            yield key, given
        elif not _is_table(key):
            kind = _type_of(key)
            raise _unknown(key, origin) if kind is None else _wrong(key, given, kind)
        else:
            # An empty table may name something: an agent with all its defaults.
            yield from _flattened(value, key, origin) if value else [(key, given)]


# -- building structs ---------------------------------------------------------------------


def _section(cls: type[Any], path: Key, given: Mapping[Key, Given]) -> Any:
    """Build a struct of what was given below a path."""
    values: dict[str, Any] = {}
    for field in structs.fields(cls):
        key = (*path, field.name)
        inner = _named(field.type)
        if inner is not None:
            names = {other[len(key)] for other in given if other[: len(key)] == key}
            values[field.name] = {
                name: _section(inner, (*key, name), given) for name in sorted(names)
            }
        elif _is_struct(field.type):
            values[field.name] = _section(field.type, key, given)
        elif key in given:
            values[field.name] = _value(key, given[key], field.type)
    try:
        return cls(**values)
    except ValueError as error:
        origins = {value.origin for key, value in given.items() if key[: len(path)] == path}
        where = f" ({', '.join(sorted(origins))})" if origins else ""
        head = f"[{'.'.join(path)}] " if path else ""
        message = f"{head}{error}{where}"
        raise ConfigError(message) from None


def _value(key: Key, given: Given, wanted: Any) -> Any:
    if wanted is Path:
        return Path(given.value)
    value = _read(given.value, wanted) if given.is_text else given.value
    try:
        if get_origin(wanted) is dict:  # whose values may be JSON that passes through untouched
            value = msgspec.json.decode(msgspec.json.encode(value), type=wanted)
        else:
            value = msgspec.convert(value, wanted, strict=not given.is_text)
    except msgspec.ValidationError:
        raise _wrong(key, given, wanted) from None
    if isinstance(value, int | float) and value < 0:
        raise _wrong(key, given, wanted)
    return value


def _read(text: str, wanted: Any) -> Any:
    """Read a text from a flag or variable as far as its type needs it."""
    if wanted is bool:
        return {"1": True, "yes": True, "0": False, "no": False}.get(text.lower(), text)
    origin = get_origin(wanted)
    if origin in (list, tuple) and not text.startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    if origin in (list, tuple, dict):
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(text)
    return text


# -- what the structs say -----------------------------------------------------------------


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _named(kind: Any) -> type[msgspec.Struct] | None:
    """Give the struct of a table whose keys are names that users choose."""
    if get_origin(kind) is not dict:
        return None
    inner = get_args(kind)[1]
    return inner if _is_struct(inner) else None


def _matches(key: Key, known: Key) -> bool:
    return len(key) == len(known) and all(b in (a, ANY) for a, b in zip(key, known, strict=True))


def _is_table(key: Key) -> bool:
    """Say whether settings, or tables of them, stand below this key."""
    return any(len(known) > len(key) and _matches(key, known[: len(key)]) for known, _ in keys())


def _type_of(key: Key) -> Any:
    return next((kind for known, kind in keys() if _matches(key, known)), None)


def _flag(key: str) -> str:
    """Give the flag that sets a key."""
    area, _, name = key.rpartition(".")
    if key in ("listen.only", "log.level"):
        return f"--{key.replace('listen.', '').replace('.', '-')}"
    if key == "listen.insecure":
        return "--insecure-listen"
    if key in ("listen.tls_cert", "listen.tls_key"):
        return f"--{name.replace('_', '-')}"
    return f"--listen {name}=" if area == "listen" else f"--{name.replace('_', '-')}"


def check_key(text: str) -> None:
    """Check that a text names a setting, or the section of some.

    Raises:
        ConfigError: It does not; the text names the nearest one.
    """
    key = tuple(text.split("."))
    if _type_of(key) is None and not _is_table(key):
        raise _unknown(key, "config show")


def _unknown(key: Key, origin: str) -> ConfigError:
    """Name the nearest key that exists."""
    known = set()
    for path, _ in keys():
        # A chosen name counts as right, so that the rest decides what is near.
        pairs = zip(path, (*key, *[ANY] * len(path)), strict=False)
        words = [mine if part == ANY else part for part, mine in pairs]
        known |= {".".join(words), ".".join(words[: len(key)])}
    text = ".".join(key)
    near = difflib.get_close_matches(text, known, n=1, cutoff=0.0)
    return ConfigError(f"{origin}: there is no setting {text!r}; the nearest is {near[0]!r}")


def _wrong(key: Key, given: Given, wanted: Any) -> ConfigError:
    shown = msgspec.json.encode(given.value, enc_hook=str).decode()
    name = ".".join(key)
    return ConfigError(f"{given.origin}: {name} = {shown} must be {_described(wanted)}")


def _described(wanted: Any) -> str:
    if get_origin(wanted) in (list, tuple):
        return 'a list of texts, as ["a", "b"]'
    if get_origin(wanted) is dict:
        return "a table"
    if get_origin(wanted) is Literal:
        return f"one of {', '.join(map(repr, get_args(wanted)))}"
    words = {
        bool: "true or false",
        int: "a whole number, 0 or more",
        float: "a number, 0 or more",
    }
    return words.get(wanted, "a text")
