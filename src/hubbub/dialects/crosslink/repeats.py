"""The crosslink door: what a repeated request gets."""

from collections.abc import Mapping

from hubbub.dialects.repeats import CONNECTION, Repeat, stored


REPEATS: Mapping[str, Repeat] = {
    **stored(
        "header `Idempotency-Key`",
        "POST /api/v1/issues",
        "PATCH /api/v1/issues/{id}",
        "DELETE /api/v1/issues/{id}",
        "POST /api/v1/issues/{id}/close",
        "POST /api/v1/issues/{id}/reopen",
        "POST /api/v1/issues/{id}/subissue",
        "POST /api/v1/issues/{id}/comments",
        "POST /api/v1/issues/{id}/labels",
        "DELETE /api/v1/issues/{id}/labels/{label}",
        "POST /api/v1/issues/{id}/block",
        "DELETE /api/v1/issues/{id}/block/{blocker_id}",
        "POST /api/v1/locks/notify",
        "POST /api/v1/locks/{issue}/claim",
        "POST /api/v1/locks/{issue}/release",
        "POST /api/v1/locks/{issue}/steal",
    ),
    "socket subscribe": CONNECTION,
}
"""Method and path, or the socket's message, to what a repeat of it gets."""
