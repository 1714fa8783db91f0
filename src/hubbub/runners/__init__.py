"""Ways to execute an agent's turn."""
