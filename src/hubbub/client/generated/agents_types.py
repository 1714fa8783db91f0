"""Types of `agents`.

Written by `python -m scripts.write_client`.
"""

import msgspec


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Result of ``agents.identity``."""

    agent: str
    agent_id: str
    machine_id: str
    public_key: str
    """ML-DSA-65 key that the id is made of; base64."""
    kem_public_key: str
    """ML-KEM-768 key; base64."""
