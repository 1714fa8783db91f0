"""The OpenClaw door: what clawdbot clients take for their gateway."""

from hubbub.dialects.openclaw.dialect import OpenclawDialect
from hubbub.dialects.openclaw.settings import OpenclawSettings


__all__ = ["OpenclawDialect", "OpenclawSettings"]
