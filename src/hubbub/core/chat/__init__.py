"""Chat: conversations with agents, their turns, and who takes them."""
