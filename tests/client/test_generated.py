"""What is generated of the method table is in step with it, and complete."""

from collections.abc import Coroutine
from typing import Any
from unittest.mock import MagicMock

import pytest
from msgspec import structs

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


# Other doors have errors of their own, which never come here.
OURS = [
    each
    for each in tree(errors.RequestError)[1:]
    if each.__module__.startswith(("hubbub.errors", "hubbub.core."))
]


@pytest.mark.parametrize("error", OURS)
def test_every_error_has_its_class(error: type[errors.HubbubError]) -> None:
    """The class of the same name for each code of the daemon, below the same parent."""
    found = Refused.codes[error.code]
    named = {"TooManyRequests": "RateLimited"}
    if error.__module__.startswith("hubbub.core."):
        return  # one service's own: its code is that of a class in the tree
    assert found is getattr(client_errors, named.get(error.__name__, error.__name__))
    for parent in error.__mro__[1:]:
        if issubclass(parent, errors.Conflict | errors.InvalidRequest):
            assert issubclass(found, Refused.codes[parent.code])


def test_code_that_is_not_known_is_a_plain_refusal() -> None:
    """A newer daemon may have more of them."""
    error = client_errors.refused("no", "brand_new", retryable=True, data={"code": "brand_new"})

    assert type(error) is Refused
    assert (error.code, error.retryable, str(error)) == ("brand_new", True, "no")


class RecordingCalls:
    """Takes every call, and gives back what it was."""

    async def invoke(
        self, method: str, params: dict[str, Any], result: Any, timeout_s: float | None
    ) -> Any:
        """Give the call back."""
        return method, params, result.__name__, timeout_s


class RunAtOnce:
    """Runs what never waits."""

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end."""
        with pytest.raises(StopIteration) as ended:
            work.send(None)
        return ended.value.value


@pytest.mark.parametrize(
    "name",
    [f"{space}.{verb}" for space, verbs in write_client.table().items() for verb in verbs],
)
def test_method_sends_what_it_is_given(name: str) -> None:
    """Under the table's own names, each parameter; its twin without an event loop does as much."""
    row = RpcDialect(MagicMock()).methods[name]
    calls: Any = RecordingCalls()
    loop: Any = RunAtOnce()
    twin = Spaces(calls)
    blocking = BlockingSpaces(loop, twin)
    space, _, verb = name.partition(".")
    given = {field.name: f"<{field.name}>" for field in structs.fields(row.params)}
    sent = {field.encode_name: f"<{field.name}>" for field in structs.fields(row.params)}

    async_one = loop.run(getattr(getattr(twin, space), verb)(**given, timeout_s=7))
    other_one = getattr(getattr(blocking, space), verb)(**given, timeout_s=7)

    assert async_one == other_one == (name, sent, row.result.__name__, 7)
