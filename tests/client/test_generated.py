"""What is generated of the method table is in step with it, and complete."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from hubbub import errors
from hubbub.client import errors as client_errors
from hubbub.client.errors import Refused
from hubbub.client.generated.spaces import BlockingSpaces, Spaces
from hubbub.dialects.repeats import CONNECTION
from hubbub.dialects.rpc.dialect import RpcDialect
from hubbub.dialects.rpc.repeats import REPEATS
from scripts import write_client


def test_files_are_what_the_method_table_says() -> None:
    """`python -m scripts.write_client` brings them up to date."""
    made = write_client.files()
    kept = {path.name: path.read_text("utf-8") for path in write_client.FOLDER.glob("*.py")}

    assert kept == made


def test_every_method_can_be_called() -> None:
    """By its namespace and name, with and without an event loop; but what is a connection's."""
    twin: Any = Spaces(MagicMock())
    blocking: Any = BlockingSpaces(MagicMock(), twin)
    for name in RpcDialect(MagicMock()).methods:
        space, _, verb = name.partition(".")
        if REPEATS[name] is CONNECTION:
            continue
        assert callable(getattr(getattr(twin, space), verb)), name
        assert callable(getattr(getattr(blocking, space), verb)), name


def tree(error: type[errors.HubbubError]) -> list[type[errors.HubbubError]]:
    """Give a class of the daemon's errors and all below it."""
    return [error, *(below for one in error.__subclasses__() for below in tree(one))]


@pytest.mark.parametrize("error", tree(errors.RequestError)[1:])
def test_every_error_has_its_class(error: type[errors.HubbubError]) -> None:
    """The class of the same name for each code of the daemon, below the same parent."""
    found = Refused.codes[error.code]
    named = {"TooManyRequests": "RateLimited"}
    if not error.__module__.startswith("hubbub.errors"):
        return  # a door's own, with a code of the tree
    assert found is getattr(client_errors, named.get(error.__name__, error.__name__))
    for parent in error.__mro__[1:]:
        if issubclass(parent, errors.Conflict | errors.InvalidRequest):
            assert issubclass(found, Refused.codes[parent.code])


def test_code_that_is_not_known_is_a_plain_refusal() -> None:
    """A newer daemon may have more of them."""
    error = client_errors.refused("no", "brand_new", retryable=True, data={"code": "brand_new"})

    assert type(error) is Refused
    assert (error.code, error.retryable, str(error)) == ("brand_new", True, "no")
