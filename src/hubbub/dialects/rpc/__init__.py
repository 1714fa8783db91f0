"""hubbub's own protocol: JSON-RPC 2.0 over WebSocket and POST, and server-sent events."""

from hubbub.dialects.rpc.dialect import RpcDialect


__all__ = ["RpcDialect"]
