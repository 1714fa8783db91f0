"""The protocol of x0x's own clients: REST, server-sent events and ``/ws``."""

from hubbub.dialects.x0x.dialect import X0xDialect
from hubbub.dialects.x0x.settings import X0xSettings


__all__ = ["X0xDialect", "X0xSettings"]
