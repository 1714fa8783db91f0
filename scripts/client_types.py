"""The types of the Python client, from the structs of the method table."""

import datetime as dt
import re
import textwrap
import types as builtin
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import structs

from hubbub.core.values import Event, Position
from hubbub.dialects.rpc.methods import Method


BY_HAND = (Event, Position)
"""Written in ``hubbub.client.events``, with more than their fields."""
SHARED = "shared"
"""Module of the types that several namespaces use."""
WIDTH = 100
"""Characters in a line at most."""
PLAIN: Mapping[Any, str] = {
    msgspec.Raw: "Any",
    Any: "Any",
    type(None): "None",
    dt.datetime: "datetime",
}


class Types:
    """Every struct that a client sees, and the module that it is written into."""

    def __init__(self, spaces: Mapping[str, Mapping[str, Method]]) -> None:
        """Collect what the methods of each namespace give and take."""
        self._homes: dict[type, set[str]] = {}
        self._given: set[type] = set()
        for space, methods in spaces.items():
            for row in methods.values():
                self._collect(row.result, space)
                for field in structs.fields(row.params):
                    self._collect(field.type, space, given=True)
        names = [struct.__name__ for struct in self._homes]
        double = {name for name in names if names.count(name) > 1}
        if double:
            message = f"several types are called {sorted(double)}; rename all but one"
            raise ValueError(message)

    def _collect(self, found: Any, space: str, *, given: bool = False) -> None:
        if _is_struct(found):
            homes = self._homes.setdefault(found, set())
            if space in homes and (not given or found in self._given):
                return
            homes.add(space)
            if given:
                self._given.add(found)
            for field in structs.fields(found):
                self._collect(field.type, space, given=given)
        for argument in typing.get_args(found):
            self._collect(argument, space, given=given)

    def spaces(self) -> list[str]:
        """Name the modules that there are."""
        return sorted({self._home(struct) for struct in self._homes if struct not in BY_HAND})

    def _home(self, struct: type) -> str:
        homes = self._homes[struct]
        return SHARED if len(homes) > 1 else next(iter(homes))

    def name(self, found: Any) -> str:
        """Write a type as an annotation."""
        if found in PLAIN:
            return PLAIN[found]
        origin, arguments = typing.get_origin(found), typing.get_args(found)
        if origin is Literal:
            return f"Literal[{', '.join(map(repr, arguments))}]"
        if origin in (typing.Union, builtin.UnionType):
            named = [self.name(part) for part in _flat(arguments)]
            return "Any" if "Any" in named else " | ".join(sorted(named, key="None".__eq__))
        if origin is typing.Annotated:
            return self.name(arguments[0])
        if origin is not None:
            inner = ["..." if part is ... else self.name(part) for part in arguments]
            return f"{origin.__name__}[{', '.join(inner)}]"
        return str(found.__name__)

    def given(self, found: Any) -> str:
        """Write the type of a parameter: where a struct is wanted, a mapping will do."""
        text = self.name(found)
        for struct in self._given:
            if struct not in BY_HAND:
                text = re.sub(rf"\b{struct.__name__}\b", rf"{struct.__name__} | JsonObject", text)
        return re.sub(r"\blist\[", "Sequence[", text)

    def all(self) -> str:
        """Write the module that names every type."""
        named = sorted(struct.__name__ for struct in self._homes if struct not in BY_HAND)
        head = (
            '"""Every type of the methods.\n\nWritten by `python -m scripts.write_client`.\n"""\n\n'
        )
        names = "".join(f'    "{name}",\n' for name in named)
        return head + self.imports(" ".join(named), "") + f"__all__ = [\n{names}]\n"

    def module(self, space: str) -> str:
        """Write the types of one namespace."""
        mine = [s for s in self._homes if s not in BY_HAND and self._home(s) == space]
        text = "\n\n".join(self._struct(struct) for struct in _in_order(mine))
        head = '"""Types of `{}`.\n\nWritten by `python -m scripts.write_client`.\n"""\n\n'
        return head.format(space) + self.imports(text, "import msgspec\n", but=space) + text

    def _struct(self, struct: type) -> str:
        from scripts.write_client import notes  # noqa: PLC0415 each needs the other

        told = notes(struct)
        options = ", ".join(
            ["frozen=True", "kw_only=True", *(["omit_defaults=True"] * (struct in self._given))]
        )
        doc = " ".join((struct.__doc__ or "").split("\n\n")[0].split())
        lines = [f"class {struct.__name__}(msgspec.Struct, {options}):\n", _quoted(doc), "\n"]
        for field in structs.fields(struct):
            lines.append(f"    {field.name}: {self._field(field)}\n")
            if field.name in told:
                lines.append(_quoted(told[field.name]))
        return "".join(lines)

    def _field(self, field: structs.FieldInfo) -> str:
        if field.required:
            return self.name(field.type)
        name, default = self.name(field.type), field.default
        if isinstance(default, bool | int | float | str | tuple):
            return f"{name} = {default!r}"
        optional = name if name == "Any" or name.endswith("None") else f"{name} | None"
        return f"{optional} = None"

    def imports(self, text: str, own: str, but: str = "") -> str:
        """Write the imports that a text needs.

        Args:
            own: Lines that it needs in any case.
            but: Module of the text itself.
        """
        words = set(re.findall(r"\w+", re.sub(r'"""(.|\n)*?"""', "", text)))
        lines = []
        collections = sorted(words & {"Mapping", "Sequence"})
        if collections:
            lines.append(f"from collections.abc import {', '.join(collections)}\n")
        if "datetime" in words:
            lines.append("from datetime import datetime\n")
        if words & {"Any", "Literal"}:
            lines.append(f"from typing import {', '.join(sorted(words & {'Any', 'Literal'}))}\n")
        own_lines = sorted(own.splitlines(keepends=True), key=lambda line: line.split()[1])
        libraries = [line for line in own_lines if line.startswith("import ")]
        wanted: dict[str, set[str]] = {}
        for struct in self._homes:
            module = "events" if struct in BY_HAND else f"generated.{self._home(struct)}_types"
            if struct.__name__ in words and module != f"generated.{but}_types":
                wanted.setdefault(f"hubbub.client.{module}", set()).add(struct.__name__)
        for line in own_lines:
            if line.startswith("from "):
                _, module, _, names = line.split(maxsplit=3)
                wanted.setdefault(module, set()).update(names.strip().split(", "))
        if "JsonObject" in words:
            wanted.setdefault("hubbub.client.calls", set()).add("JsonObject")
        ours = [
            f"from {module} import ({', '.join(sorted(names))})\n"
            for module, names in sorted(wanted.items())
        ]
        parts = ["".join(lines), "".join(libraries), "".join(ours)]
        return "\n".join(filter(None, parts)) + "\n\n"


def _flat(parts: Iterable[Any]) -> list[Any]:
    """Give the parts of a union, its literals as one, without what only stands for nothing."""
    found = [part for part in parts if part is not msgspec.UnsetType]
    words = [word for part in found if _is_literal(part) for word in typing.get_args(part)]
    others = [part for part in found if not _is_literal(part)]
    return [*([Literal[tuple(words)]] if words else []), *others]


def _is_literal(found: Any) -> bool:
    return typing.get_origin(found) is Literal


def _quoted(text: str) -> str:
    """Write the string that stands under a class or a field."""
    line = f'    """{text}"""\n'
    if len(line) <= WIDTH + 1:
        return line
    filled = textwrap.fill(f'"""{text}', WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f'{filled}\n    """\n'


def _is_struct(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, msgspec.Struct)


def _in_order(found: list[type]) -> list[type]:
    """Sort structs so that each stands after those that its fields name."""
    placed: list[type] = []

    def place(struct: type) -> None:
        if struct in placed or struct not in found:
            return
        for field in structs.fields(struct):
            for part in _parts(field.type):
                place(part)
        placed.append(struct)

    for struct in sorted(found, key=lambda one: one.__name__):
        place(struct)
    return placed


def _parts(found: Any) -> list[type]:
    own = [found] if _is_struct(found) else []
    return own + [part for argument in typing.get_args(found) for part in _parts(argument)]
