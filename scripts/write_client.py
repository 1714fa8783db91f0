"""Write the methods and types of the Python client from the method table of ``/rpc``.

Run as `python -m scripts.write_client`; a test fails while the files are out of step. What is
written stands in ``src/hubbub/client/generated``: for each namespace its types, its methods, and
the twin of these for callers without an event loop.
"""

import ast
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import msgspec
from msgspec import structs

from hubbub.dialects.repeats import CONNECTION, READS
from hubbub.dialects.rpc.dialect import RpcDialect
from hubbub.dialects.rpc.methods import Method
from hubbub.dialects.rpc.repeats import REPEATS
from scripts.client_types import Types


FOLDER = Path(__file__).parents[1] / "src" / "hubbub" / "client" / "generated"
HEAD = '"""{}\n\nWritten by `python -m scripts.write_client`.\n"""\n\n'
KEY = "idempotency_key"
POSITIONAL = 2
"""Required parameters that may be given without their names."""


def table() -> dict[str, dict[str, Method]]:
    """Give the methods that are called as such, by namespace and name within it.

    What belongs to a connection is the client's own business: it subscribes again by itself.
    """
    found: dict[str, dict[str, Method]] = {}
    for name, method in sorted(RpcDialect(MagicMock()).methods.items()):
        if REPEATS[name] is not CONNECTION:
            space, _, verb = name.partition(".")
            found.setdefault(space, {})[verb] = method
    return found


def files() -> dict[str, str]:
    """Make all files, formatted: path within the folder to text."""
    spaces = table()
    types = Types(spaces)
    made = {"__init__.py": '"""What is made of the method table of the daemon."""\n'}
    for space in types.spaces():
        made[f"{space}_types.py"] = types.module(space)
    for space, methods in spaces.items():
        made[f"{space}.py"] = _module(space, methods, types)
        made[f"blocking_{space}.py"] = _twin(space, methods, types)
    made["types.py"] = types.all()
    made["repeats.py"] = _repeats(spaces)
    made["spaces.py"] = _spaces(spaces)
    return {name: formatted(text) for name, text in sorted(made.items())}


def formatted(text: str) -> str:
    """Give a module the form that all our modules have."""
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", "x.py", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def write() -> None:
    """Write all files, and remove what no namespace has any more."""
    FOLDER.mkdir(exist_ok=True)
    made = files()
    for old in FOLDER.glob("*.py"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _repeats(spaces: Mapping[str, Mapping[str, Method]]) -> str:
    rows = []
    for space, methods in spaces.items():
        for verb in methods:
            repeat = REPEATS[f"{space}.{verb}"]
            kind = "key" if repeat.key else "reads" if repeat is READS else "same"
            rows.append(f'    "{space}.{verb}": "{kind}",\n')
    return (
        HEAD.format("How each method may be sent again.")
        + "from collections.abc import Mapping\n\nfrom hubbub.client.calls import Repeat\n\n\n"
        + f"REPEATS: Mapping[str, Repeat] = {{\n{''.join(rows)}}}\n"
    )


def _spaces(spaces: Mapping[str, Mapping[str, Method]]) -> str:
    """Write the two records of all namespaces."""
    imports = ["from hubbub.client.calls import Calls, Loop\n"]
    for space in spaces:
        name = class_of(space)
        imports.append(f"from hubbub.client.generated.blocking_{space} import Blocking{name}\n")
        imports.append(f"from hubbub.client.generated.{space} import {name}\n")
    own = [f"        self.{space} = {class_of(space)}(calls)\n" for space in spaces]
    twins = [
        f"        self.{space} = Blocking{class_of(space)}(loop, twin.{space})\n"
        for space in spaces
    ]
    return (
        HEAD.format("All namespaces.")
        + "".join(sorted(imports))
        + '\n\nclass Spaces:\n    """The methods of the daemon, by namespace."""\n\n'
        + "    def __init__(self, calls: Calls) -> None:\n"
        + '        """Call through what all have in common."""\n'
        + "".join(own)
        + '\n\nclass BlockingSpaces:\n    """The same, for callers without an event loop."""\n\n'
        + "    def __init__(self, loop: Loop, twin: Spaces) -> None:\n"
        + '        """Call what has an event loop, on a loop in a thread."""\n'
        + "".join(twins)
    )


def _module(space: str, methods: Mapping[str, Method], types: Types) -> str:
    body = "".join(_method(f"{space}.{verb}", verb, row, types) for verb, row in methods.items())
    head = HEAD.format(f"The methods `{space}.*`.")
    name = class_of(space)
    text = f'class {name}(Methods):\n    """The methods `{space}.*`."""\n{body}'
    return head + types.imports(text, "from hubbub.client.calls import Methods\n") + text


def _twin(space: str, methods: Mapping[str, Method], types: Types) -> str:
    name = class_of(space)
    body = "".join(_twin_method(verb, row, types) for verb, row in methods.items())
    head = HEAD.format(f"The methods `{space}.*`, for callers without an event loop.")
    text = f'class Blocking{name}(BlockingMethods):\n    """The methods `{space}.*`."""\n\n'
    text += (
        f"    def __init__(self, loop: Loop, twin: {name}) -> None:\n"
        '        """Call what has an event loop."""\n'
        "        super().__init__(loop)\n        self._twin = twin\n"
    )
    own = "from hubbub.client.calls import BlockingMethods, Loop\n"
    own += f"from hubbub.client.generated.{space} import {name}\n"
    return head + types.imports(text + body, own) + text + body


def class_of(space: str) -> str:
    """Give the name of a namespace's class."""
    return f"{space.capitalize()}Methods"


def _method(name: str, verb: str, row: Method, types: Types) -> str:
    fields = parameters(row)
    given = ", ".join(f'"{field.encode_name}": {field.name}' for field in fields)
    result = types.name(row.result)
    return (
        f"\n    async def {verb}({_signature(fields, types)}) -> {result}:\n"
        + _doc(row)
        + f"        params: dict[str, Any] = {{{given}}}\n"
        + f'        return await self._calls.invoke("{name}", params, {result}, timeout_s)\n'
    )


def _twin_method(verb: str, row: Method, types: Types) -> str:
    fields = parameters(row)
    given = [field.name for field in fields if field.required][:POSITIONAL]
    given += [f"{field.name}={field.name}" for field in fields if field.name not in given]
    call = f"self._twin.{verb}({', '.join([*given, 'timeout_s=timeout_s'])})"
    return (
        f"\n    def {verb}({_signature(fields, types)}) -> {types.name(row.result)}:\n"
        + _doc(row)
        + f"        return self._loop.run({call})\n"
    )


def parameters(row: Method) -> list[structs.FieldInfo]:
    """Give the parameters, those that must be given first, the key last."""
    fields = structs.fields(row.params)
    return sorted(fields, key=lambda field: (field.name == KEY, not field.required))


def _signature(fields: Iterable[structs.FieldInfo], types: Types) -> str:
    required = [field for field in fields if field.required and field.name != KEY]
    first, later = required[:POSITIONAL], required[POSITIONAL:]
    parts = ["self", *(f"{field.name}: {types.given(field.type)}" for field in first), "*"]
    parts += [f"{field.name}: {types.given(field.type)}" for field in later]
    for field in fields:
        if field not in required:
            parts.append(_optional(field, types))
    return ", ".join([*parts, "timeout_s: float | None = None"])


def _optional(field: structs.FieldInfo, types: Types) -> str:
    default = field.default
    if isinstance(default, bool | int | float | str):
        return f"{field.name}: {types.given(field.type)} = {default!r}"
    wanted = types.given(field.type)
    optional = wanted if wanted == "Any" or wanted.endswith("| None") else f"{wanted} | None"
    return f"{field.name}: {optional} = None"


def _doc(row: Method) -> str:
    """Write the docstring: the table's summary, and what the struct says of its fields."""
    told = notes(row.params)
    arguments = [(f.name, told[f.name]) for f in parameters(row) if f.name in told]
    if not arguments:
        return f'        """{row.summary}"""\n'
    lines = [f'        """{row.summary}\n', "\n", "        Args:\n"]
    for name, note in arguments:
        text = f"{name}: {note}"
        lines += [
            textwrap.fill(text, 100, initial_indent=" " * 12, subsequent_indent=" " * 16) + "\n"
        ]
    return "".join([*lines, '        """\n'])


def notes(struct: type) -> dict[str, str]:
    """Give the string that stands under each field, of a struct and its bases."""
    found: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if cls in (object, msgspec.Struct) or not issubclass(cls, msgspec.Struct):
            continue
        tree: Any = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        for field, note in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(note, ast.Expr):
                found[ast.unparse(field.target)] = " ".join(
                    str(ast.literal_eval(note.value)).split()
                )
    return found


if __name__ == "__main__":
    write()
