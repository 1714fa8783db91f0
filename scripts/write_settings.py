"""Write docs/settings.md from the structs in which settings are defined.

Run as `python -m scripts.write_settings`; a test fails while the page is out of step.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import structs

from hubbub.config import DERIVED, Settings
from hubbub.provenance import ANY


PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = """# Settings

Every setting can be given in three ways. What stands further up wins:

1. a flag of `hubbub serve`, where there is one (`--data-dir`, `--listen NAME=HOST:PORT`,
   `--only`, `--ephemeral`, `--demo`, `--insecure-listen`, `--tls-cert`, `--tls-key`,
   `--log-level`, `--json`);
2. a variable: `HUBBUB_`, then the key in capitals, with `__` for each dot:
   `HUBBUB_LISTEN__X0X=127.0.0.1:0`. Lists are written as `a,b` or as JSON;
3. a line in `config.toml`: the file that `--config` or `HUBBUB_CONFIG` names, or else the one in
   the data directory.

A key that does not exist, or a value that cannot be, ends `hubbub serve` with exit code 2 and a
line that says what would be right. `hubbub config show --origin` prints every value and where it
came from. Numbers are 0 or more.

```toml
[listen]
x0x = "127.0.0.1:12700"          # "" switches a listener off

[agents.main]                    # the default agent
runner = "openai"
base_url = "http://127.0.0.1:8080/v1"
model = "any-name"
api_key_env = "MODEL_KEY"        # the name of a variable, never the key itself

[store.topics."news/*"]
retention_days = 30
```

This page is made from the code by `python -m scripts.write_settings`.
"""


class Line(msgspec.Struct, frozen=True):
    """One setting as the page shows it."""

    name: str
    default: str
    meaning: str


def page() -> str:
    """Make the whole page."""
    parts = [HEAD]
    for title, about, lines in sections(Settings, ()):
        parts.append(f"\n## {title}\n\n")
        if about:
            parts.append(f"{about}\n\n")
        parts.append("| Key | Default | Meaning |\n|---|---|---|\n")
        parts += [f"| `{line.name}` | {line.default} | {line.meaning} |\n" for line in lines]
    return "".join(parts)


def sections(
    cls: type[msgspec.Struct], path: tuple[str, ...]
) -> Iterator[tuple[str, str, list[Line]]]:
    """Give title, description and lines of each section, the struct's own first."""
    lines: list[Line] = []
    inner: list[tuple[type[msgspec.Struct], tuple[str, ...]]] = []
    meanings = docstrings(cls)
    for field in structs.fields(cls):
        kind: Any = field.type
        named: Any = get_args(kind)[1] if get_origin(kind) is dict else None
        if _is_struct(named):
            inner.append((named, (*path, field.name, ANY)))
        elif _is_struct(kind):
            inner.append((kind, (*path, field.name)))
        elif path or field.name not in DERIVED:
            lines.append(Line(field.name, _default(field, kind), meanings[field.name]))
    if lines:
        title = f"`[{'.'.join(path)}]`" if path else "Top level"
        yield title, _about(cls), lines
    for below, where in inner:
        yield from sections(below, where)


def docstrings(cls: type[msgspec.Struct]) -> dict[str, str]:
    """Read the text below each field of a struct, those that it inherits included."""
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if owner in (object, msgspec.Struct) or not _is_struct(owner):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(tree, ast.ClassDef)  # noqa: S101 it is the source of a class
        for before, after in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr):
                assert isinstance(before.target, ast.Name)  # noqa: S101 as above
                assert isinstance(after.value, ast.Constant)  # noqa: S101 as above
                found[before.target.id] = _one_line(str(after.value.value))
    return found


def _about(cls: type[msgspec.Struct]) -> str:
    """Give what a struct says of itself, without the name of the section that stands above."""
    text = _one_line(inspect.getdoc(cls) or "")
    rest = re.sub(r"^The (section )?`\[[^`]*\]`( settings)?[.;:,]? ?", "", text)
    return rest[:1].upper() + rest[1:]


def _default(field: structs.FieldInfo, kind: Any) -> str:
    if field.name == "data_dir":
        return "the platform's"
    value = field.default
    if value is msgspec.NODEFAULT:
        factory = field.default_factory
        value = factory() if callable(factory) else None
    if value is None:
        return "none"
    text = f"`{msgspec.json.encode(value).decode()}`"
    if get_origin(kind) is Literal:
        text += f" (of {', '.join(f'`{choice}`' for choice in get_args(kind))})"
    return text


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|")


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
