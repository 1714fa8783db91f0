"""``hubbub prove``: a daemon of its own, clients at every door, faults, and a judged history."""
