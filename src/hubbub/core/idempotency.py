"""A retry is never executed twice: stored answers under the caller's own keys.

The answer is written in the same transaction as the effect, so there is no moment at which
one exists without the other.
"""

import hashlib
from typing import Generic, TypeVar

import msgspec

from hubbub.core.ports import Transaction, Unit
from hubbub.core.values import Clock, Principal
from hubbub.errors import IdempotencyConflict, InvalidRequest


T = TypeVar("T")

KEEP_MS = 7 * 24 * 3600 * 1000
"""Milliseconds for which an answer is kept."""
MAX_KEY_CHARACTERS = 256
"""Length of an idempotency key at most."""


def digest(verb: str, *parts: bytes | str) -> bytes:
    """Give the fingerprint of a request: its verb and everything that decides its effect."""
    hashing = hashlib.blake2b(digest_size=16)
    for part in (verb, *parts):
        data = part.encode() if isinstance(part, str) else part
        hashing.update(len(data).to_bytes(8, "big"))
        hashing.update(data)
    return hashing.digest()


class Stored(msgspec.Struct, Generic[T], frozen=True):
    """An answer that was given before."""

    value: T


def answered(
    *, caller: Principal, key: str, request: bytes, result: type[T]
) -> Unit[Stored[T] | None]:
    """Make the unit that looks for a key's stored answer; ``None``: it was never used.

    For work that is more than one unit: look first, do it, then store its answer by ``once``.

    Raises: as ``once``.
    """
    if not 0 < len(key) <= MAX_KEY_CHARACTERS:
        message = f"an idempotency key has 1 to {MAX_KEY_CHARACTERS} characters"
        raise InvalidRequest(message)

    def look(tx: Transaction) -> Stored[T] | None:
        stored = tx.row("idempotency_get", caller=caller.id, key=key)
        if stored is None:
            return None
        if stored[0] != request:
            raise IdempotencyConflict(key)
        return Stored(msgspec.json.decode(stored[1], type=result))

    return look


def once(
    unit: Unit[T],
    *,
    caller: Principal,
    key: str | None,
    request: bytes,
    result: type[T],
    clock: Clock,
) -> Unit[T]:
    """Make a unit run once per key: later calls give the first answer and change nothing.

    Args:
        key: The caller's key; ``None`` gives the unit back as it is.
        request: The ``digest`` of the request.
        result: Type of the unit's value, to read a stored answer back.

    Raises:
        InvalidRequest: The key is empty or too long.
        IdempotencyConflict: (from the unit) the key was used for another request.
    """
    if key is None:
        return unit
    known = answered(caller=caller, key=key, request=request, result=result)

    def run(tx: Transaction) -> T:
        stored = known(tx)
        if stored is not None:
            return stored.value
        value = unit(tx)
        tx.execute(
            "idempotency_put",
            caller=caller.id,
            key=key,
            digest=request,
            result=msgspec.json.encode(value),
            at=clock(),
        )
        return value

    return run
