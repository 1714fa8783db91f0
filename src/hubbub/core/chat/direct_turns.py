"""Direct messages as turns of their recipients, for agents whose settings say so."""

import base64

from hubbub.core.chat.conversation import SendRequest
from hubbub.core.chat.service import Chat
from hubbub.core.chat.session_keys import DEFAULT_AGENT, agent_id, main_key
from hubbub.core.direct import DirectMessage
from hubbub.core.ports import Transaction, Unit
from hubbub.core.values import Principal
from hubbub.errors import RequestError
from hubbub.telemetry import log


class DirectTurns:
    """Makes the turn that a direct message begins."""

    def __init__(self, chat: Chat) -> None:
        """Let a chat take the turns."""
        self._chat = chat

    def of(self, caller: Principal, message: DirectMessage) -> Unit[None] | None:
        """Make the unit that begins a message's turn; ``None``: there is none.

        It composes with the unit that stores the message, so that a crash leaves both or
        neither. A message that the recipient's main session does not take is a message all
        the same. What is no text, or is empty, is none for an agent that chats.
        """
        agent = agent_id(message.recipient)
        is_ours = agent != DEFAULT_AGENT or message.recipient.lower() == DEFAULT_AGENT
        if not is_ours or self._chat.agents.settings(agent).direct_messages != "chat":
            return None
        text = _text(message.payload)
        if not text.strip():
            return None
        request = SendRequest(
            session_key=main_key(agent),
            message=f"direct message from {message.sender}: {text}",
            idempotency_key=f"reply-{message.message_id}",
            multitask_strategy="enqueue",
        )

        def begin(tx: Transaction) -> None:
            try:
                self._chat.accepting(caller, request)(tx)
            except RequestError as error:
                # It is refused before it has changed anything.
                log.warning("direct_turn_refused", agent=agent, reason=str(error))

        return begin


def _text(payload: str) -> str:
    try:
        return base64.b64decode(payload).decode()
    except UnicodeDecodeError:
        return ""
