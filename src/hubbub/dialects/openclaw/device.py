"""Device identity: an Ed25519 key, whose digest is the device's id, signs each connect.

Source: protocol 3, ``v1`` (no nonce) and ``v2`` (the connection's challenge is signed too).
No device is remembered: the token says who calls, the signature only that the id is real.
"""

import base64
import binascii
import hashlib
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from hubbub.dialects.openclaw.frames import Name


KEY_BYTES = 32


class Device(msgspec.Struct, frozen=True, rename="camel"):
    """``device`` of the connect parameters."""

    id: Name
    public_key: Name
    signature: Name
    signed_at: int
    """Unix time in milliseconds."""
    nonce: str = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a device's signature covers, besides the device's own fields."""

    client_id: str
    client_mode: str
    role: str
    scopes: tuple[str, ...]
    """As requested."""
    token: str
    """``auth.token``; empty where there was none."""


Problem = Literal[
    "device identity mismatch",
    "device signature expired",
    "device nonce required",
    "device nonce mismatch",
    "device public key invalid",
    "device signature invalid",
]


def check(
    device: Device, signed: Signed, *, nonce: str, is_local: bool, now_ms: int, skew_ms: int
) -> Problem | None:
    """Find out what is wrong with a device's identity, in the order that clients know.

    Args:
        nonce: That of this connection's challenge.
        is_local: A client on this machine may leave the nonce out.
        skew_ms: By how much the signature's time may differ from ours.
    """
    key = _raw_key(device.public_key)
    if key is None or hashlib.sha256(key).hexdigest() != device.id:
        return "device identity mismatch"
    if abs(now_ms - device.signed_at) > skew_ms:
        return "device signature expired"
    if not device.nonce and not is_local:
        return "device nonce required"
    if device.nonce and device.nonce != nonce:
        return "device nonce mismatch"
    return _signature_problem(key, device, signed)


def signed_text(device: Device, signed: Signed) -> str:
    """Give the text that the device has signed."""
    fields = [
        "v2" if device.nonce else "v1",
        device.id,
        signed.client_id,
        signed.client_mode,
        signed.role,
        ",".join(signed.scopes),
        str(device.signed_at),
        signed.token,
    ]
    if device.nonce:
        fields.append(device.nonce)
    return "|".join(fields)


def _signature_problem(key: bytes, device: Device, signed: Signed) -> Problem | None:
    try:
        public = Ed25519PublicKey.from_public_bytes(key)
    except (ValueError, UnsupportedAlgorithm):
        return "device public key invalid"
    signature = _base64url(device.signature)
    if signature is None:
        return "device signature invalid"
    try:
        public.verify(signature, signed_text(device, signed).encode())
    except InvalidSignature:
        return "device signature invalid"
    return None


def _raw_key(text: str) -> bytes | None:
    """Give the key's own bytes, from base64url or from PEM."""
    if "BEGIN" not in text:
        return _base64url(text)
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, Ed25519PublicKey):
        return None
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _base64url(text: str) -> bytes | None:
    """Decode with or without padding; clients differ."""
    try:
        data = text.rstrip("=").encode("ascii")
        return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
