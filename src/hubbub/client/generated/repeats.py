"""How each method may be sent again.

Written by `python -m scripts.write_client`.
"""

from collections.abc import Mapping

from hubbub.client.calls import Repeat


REPEATS: Mapping[str, Repeat] = {
    "agents.heartbeat": "key",
    "agents.identity": "reads",
    "agents.list": "reads",
    "chat.abort": "key",
    "chat.history": "reads",
    "chat.import_session": "key",
    "chat.inject": "key",
    "chat.send": "key",
    "chat.session_delete": "key",
    "chat.session_patch": "key",
    "chat.session_reset": "key",
    "chat.sessions": "reads",
    "direct.send": "key",
    "issues.block": "key",
    "issues.blocked": "reads",
    "issues.close": "key",
    "issues.comment": "key",
    "issues.create": "key",
    "issues.delete": "key",
    "issues.get": "reads",
    "issues.label": "key",
    "issues.list": "reads",
    "issues.ready": "reads",
    "issues.reopen": "key",
    "issues.unblock": "key",
    "issues.unlabel": "key",
    "issues.update": "key",
    "journal.read": "reads",
    "locks.claim": "key",
    "locks.list": "reads",
    "locks.release": "key",
    "locks.renew": "key",
    "locks.steal": "key",
    "presence.list": "reads",
    "reservations.claim": "key",
    "reservations.list": "reads",
    "reservations.release": "key",
    "reservations.renew": "key",
    "runs.cancel": "key",
    "runs.complete": "key",
    "runs.get": "reads",
    "runs.list": "reads",
    "runs.record_turns": "key",
    "runs.resume": "same",
    "runs.start": "key",
    "runs.trace": "reads",
    "system.ping": "reads",
    "system.status": "reads",
    "tokens.create": "key",
    "tokens.list": "reads",
    "tokens.revoke": "key",
    "topics.publish": "key",
}
