"""What clients of the gateway send: connect parameters and devices with real keys."""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


Frame = dict[str, Any]

NONCE = "01928374-0000-7000-8000-00000000abcd"
NOW_MS = 1_800_000_000_000
TOKEN = "t" * 64
SCOPES = ["operator.admin", "operator.approvals", "operator.pairing"]


def base64url(data: bytes) -> str:
    """Encode without padding, as the clients do."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A device's key."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(self.public).hexdigest()

    def pem(self) -> str:
        """Give the public key as PEM."""
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def device(
        self,
        params: Frame,
        *,
        nonce: str | None = NONCE,
        signed_at: int = NOW_MS,
        public_key: str | None = None,
    ) -> Frame:
        """Sign connect parameters and give their ``device``."""
        client, auth = params["client"], params.get("auth", {})
        fields = [
            "v1" if nonce is None else "v2",
            self.id,
            client["id"],
            client["mode"],
            params.get("role", "operator"),
            ",".join(params.get("scopes", [])),
            str(signed_at),
            auth.get("token", ""),
            *([] if nonce is None else [nonce]),
        ]
        signature = self.private.sign("|".join(fields).encode())
        return {
            "id": self.id,
            "publicKey": public_key or base64url(self.public),
            "signature": base64url(signature),
            "signedAt": signed_at,
            **({} if nonce is None else {"nonce": nonce}),
        }


def connect_params(token: str | None = TOKEN, **changes: Any) -> Frame:
    """Give the connect parameters of a backend client."""
    params: Frame = {
        "minProtocol": 3,
        "maxProtocol": 3,
        "client": {"id": "test", "version": "1.0.0", "platform": "linux", "mode": "test"},
        "caps": [],
    }
    if token is not None:
        params["auth"] = {"token": token}
    return {**params, **changes}


def cli_params() -> Frame:
    """Give what the command-line client 2026.1.24-3 was seen to send, but for its device."""
    client = {"id": "cli", "version": "dev", "platform": "linux", "mode": "cli"}
    return connect_params(client={**client, "instanceId": "i-1"}, role="operator", scopes=SCOPES)


def request(method: str, params: Any = None, request_id: str = "r1") -> str:
    """Give the text of a request."""
    frame = {"type": "req", "id": request_id, "method": method}
    return json.dumps(frame if params is None else {**frame, "params": params})
