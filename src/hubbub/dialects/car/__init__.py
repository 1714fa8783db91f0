"""CAR's protocol: JSON-RPC 2.0 over one WebSocket, for agents and their hosts."""

from hubbub.dialects.car.dialect import CarDialect
from hubbub.dialects.car.settings import CarSettings


__all__ = ["CarDialect", "CarSettings"]
