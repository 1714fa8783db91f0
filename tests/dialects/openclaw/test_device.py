"""Device identity: what a signature proves, and each way in which it fails."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hubbub.dialects.openclaw.device import Device, Signed, check
from tests.dialects.openclaw.clients import NONCE, NOW_MS, Frame, Key, base64url, cli_params


SKEW_MS = 600_000


def problem_of(params: Frame, device: Frame, **changes: Any) -> str | None:
    """Check a device as the door does."""
    client, scopes = params["client"], params.get("scopes", [])
    signed = Signed(
        client_id=client["id"],
        client_mode=client["mode"],
        role="operator",
        scopes=tuple(scopes),
        token=params["auth"]["token"],
    )
    given = {"nonce": NONCE, "is_local": True, "now_ms": NOW_MS, "skew_ms": SKEW_MS, **changes}
    return check(msgspec.convert(device, Device), signed, **given)


@pytest.fixture
def params() -> Frame:
    """Give connect parameters of the command-line client."""
    return cli_params()


@pytest.fixture
def key() -> Key:
    """Give a device's key."""
    return Key()


def test_signature_over_the_challenge_is_good(params: Frame, key: Key) -> None:
    """A device that signs this connection's nonce is good, from anywhere."""
    device = key.device(params)
    assert problem_of(params, device) is None
    assert problem_of(params, device, is_local=False) is None


def test_signature_without_nonce_is_good_on_this_machine_only(params: Frame, key: Key) -> None:
    """A local client may have missed the challenge; any other must sign it."""
    device = key.device(params, nonce=None)
    assert problem_of(params, device) is None
    assert problem_of(params, device, is_local=False) == "device nonce required"


def test_key_may_come_as_pem_and_with_padding(params: Frame, key: Key) -> None:
    """The same key in another spelling is the same device."""
    assert problem_of(params, key.device(params, public_key=key.pem())) is None
    padded = base64url(key.public) + "="
    assert problem_of(params, key.device(params, public_key=padded)) is None


def test_nonce_of_another_connection(params: Frame, key: Key) -> None:
    """A signature that was made for another connection cannot be used again."""
    device = key.device(params, nonce="another")
    assert problem_of(params, device) == "device nonce mismatch"


@pytest.mark.parametrize("public_key", ["", "!!!", "AAAA", "ü", "-----BEGIN nothing"])
def test_key_that_is_not_the_devices(params: Frame, key: Key, public_key: str) -> None:
    """A key whose digest is not the device's id is a mismatch, whatever it is."""
    device = {**key.device(params), "publicKey": public_key or base64url(Key().public)}
    assert problem_of(params, device) == "device identity mismatch"


def test_pem_of_another_kind_of_key(params: Frame, key: Key) -> None:
    """Only Ed25519 keys are devices."""
    public = generate_private_key(SECP256R1()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    device = key.device(params, public_key=pem)
    assert problem_of(params, device) == "device identity mismatch"


def test_key_of_the_wrong_length(params: Frame, key: Key) -> None:
    """Bytes that no Ed25519 key has are told as such."""
    key.public = b"short"
    key.id = "f9b0078b5df596d2ea19010c001bbd009e651de2c57e8fb7e355f31eb9d3f739"
    assert problem_of(params, key.device(params)) == "device public key invalid"


@pytest.mark.parametrize(
    ("off_by_ms", "problem"),
    [
        (SKEW_MS, None),
        (-SKEW_MS, None),
        (SKEW_MS + 1, "device signature expired"),
        (-SKEW_MS - 1, "device signature expired"),
    ],
)
def test_signature_expires(params: Frame, key: Key, off_by_ms: int, problem: str | None) -> None:
    """A signature holds for ten minutes around its time, to the millisecond."""
    device = key.device(params, signed_at=NOW_MS + off_by_ms)
    assert problem_of(params, device) == problem


@pytest.mark.parametrize("signature", ["AAAA", "!", "ü", "A" * 86])
def test_false_signature(params: Frame, key: Key, signature: str) -> None:
    """What is no signature of this key is refused."""
    device = {**key.device(params), "signature": signature}
    assert problem_of(params, device) == "device signature invalid"


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": []},
        {"auth": {"token": "other"}},
        {"client": {"id": "cli", "mode": "ui"}},
        {"client": {"id": "test", "mode": "cli"}},
    ],
)
def test_signature_covers_what_is_asked_for(params: Frame, key: Key, change: Frame) -> None:
    """A signature for other scopes, another token or another client does not hold."""
    device = key.device(params)
    assert problem_of({**params, **change}, device) == "device signature invalid"


def test_checks_come_in_order(params: Frame, key: Key) -> None:
    """Id, then time, then nonce, then signature."""
    good = key.device(params)
    bad = {**good, "id": "x", "signedAt": 0, "nonce": "other", "signature": "AAAA"}
    told = []
    for name in ("id", "signedAt", "nonce", "signature"):
        told.append(problem_of(params, bad))
        bad = {**bad, name: good[name]}
    assert told == [
        "device identity mismatch",
        "device signature expired",
        "device nonce mismatch",
        "device signature invalid",
    ]
    assert problem_of(params, bad) is None
