"""The types that methods take and give: ``from hubbub.client.types import Issue``."""

from hubbub.client.generated.types import *  # noqa: F403 every one of them, and what comes
from hubbub.client.generated.types import __all__ as __all__  # noqa: PLC0414 for type checkers
