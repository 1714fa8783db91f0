"""Foreign clients and agents: what the outside of a daemon looks like, none of it hubbub code."""
