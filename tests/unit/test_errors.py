"""The error tree: codes, texts, attributes."""

from collections.abc import Iterator

from hubbub.errors import HubbubError, LockHeld, NotFound, StaleFence


def tree(error: type[HubbubError]) -> Iterator[type[HubbubError]]:
    """Walk a class and everything below it."""
    yield error
    for below in error.__subclasses__():
        yield from tree(below)


def test_every_error_has_a_code_of_its_own() -> None:
    """A client can tell errors apart by their code."""
    ours = [error for error in tree(HubbubError) if error.__module__ == "hubbub.errors"]
    codes = [error.code for error in ours]

    assert len(codes) == len(set(codes))


def test_texts_say_what_and_who() -> None:
    """Texts are made from the attributes, for people."""
    assert str(NotFound("issue", 7)) == "issue 7 not found"
    assert str(LockHeld(7, holder="bob", expires_at_ms=1)) == "issue 7 is held by bob"
    assert str(StaleFence(7, presented=1, current=2)) == "fence 1 of issue 7 is stale; it is 2 now"
