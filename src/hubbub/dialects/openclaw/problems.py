"""What is wrong with a value, in the words that clients of this gateway know.

msgspec checks frames and parameters while it decodes them; only when it refuses does this
module walk the same types once more to name every problem.
"""

from collections.abc import Iterator

from msgspec import inspect


MAX_PROBLEMS = 16
"""Problems that one text names at most."""
MAX_NAME_CHARACTERS = 80
"""Characters of a client's own word that a text repeats at most."""


def problems(kind: type, value: object) -> str:
    """Name everything about a decoded JSON value that does not fit a type.

    Returns:
        Problems joined by ``"; "``; empty if none was found.
    """
    found: dict[str, None] = {}
    for problem in _walk(inspect.type_info(kind), value, ""):
        found[problem] = None
        if len(found) == MAX_PROBLEMS:
            break
    return "; ".join(found)


def _walk(info: inspect.Type, value: object, path: str) -> Iterator[str]:  # noqa: PLR0911
    match info:
        case inspect.StructType():
            return _struct(info, value, path)
        case inspect.UnionType():
            return _union(info, value, path)
        case inspect.StrType():
            return _text(info, value, path)
        case inspect.IntType():
            return _whole(info, value, path)
        case inspect.ListType() | inspect.VarTupleType():
            return _list(info, value, path)
        case inspect.DictType():
            return _dict(info, value, path)
        case inspect.LiteralType():
            return _literal(info, value, path)
        case inspect.BoolType():
            return _simple(value, bool, "boolean", path)
        case inspect.NoneType():
            return _simple(value, type(None), "null", path)
        case _:  # Any and Raw take everything
            return iter(())


def _struct(info: inspect.StructType, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _at(path, "must be object")
        return
    fields = {field.encode_name: field for field in info.fields}
    for name, field in fields.items():
        if field.required and name not in value:
            yield _at(path, f"must have required property '{name}'")
    if info.forbid_unknown_fields:
        for name in value:
            if name not in fields:
                yield f"at {path or 'root'}: unexpected property '{name[:MAX_NAME_CHARACTERS]}'"
    for name, field in fields.items():
        if name in value:
            yield from _walk(field.type, value[name], f"{path}/{name}")


def _union(info: inspect.UnionType, value: object, path: str) -> Iterator[str]:
    branches = [list(_walk(branch, value, path)) for branch in info.types]
    if all(branches):
        yield from branches[0]


def _text(info: inspect.StrType, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _at(path, "must be string")
        return
    if info.min_length is not None and len(value) < info.min_length:
        yield _at(path, f"must NOT have fewer than {info.min_length} characters")
    if info.max_length is not None and len(value) > info.max_length:
        yield _at(path, f"must NOT have more than {info.max_length} characters")


def _whole(info: inspect.IntType, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield _at(path, "must be integer")
        return
    if info.ge is not None and value < info.ge:
        yield _at(path, f"must be >= {info.ge}")
    if info.le is not None and value > info.le:
        yield _at(path, f"must be <= {info.le}")


def _list(info: inspect.ListType | inspect.VarTupleType, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _at(path, "must be array")
        return
    if info.min_length is not None and len(value) < info.min_length:
        yield _at(path, f"must NOT have fewer than {info.min_length} items")
    if info.max_length is not None and len(value) > info.max_length:
        yield _at(path, f"must NOT have more than {info.max_length} items")
    for index, item in enumerate(value):
        yield from _walk(info.item_type, item, f"{path}/{index}")


def _dict(info: inspect.DictType, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _at(path, "must be object")
        return
    for name, item in value.items():
        yield from _walk(info.value_type, item, f"{path}/{name[:MAX_NAME_CHARACTERS]}")


def _literal(info: inspect.LiteralType, value: object, path: str) -> Iterator[str]:
    if value not in info.values:
        one = len(info.values) == 1
        text = "constant" if one else "one of the allowed values"
        yield _at(path, f"must be equal to {text}")


def _simple(value: object, kind: type, name: str, path: str) -> Iterator[str]:
    if not isinstance(value, kind):
        yield _at(path, f"must be {name}")


def _at(path: str, text: str) -> str:
    return f"at {path}: {text}" if path else text
