"""Programs that the tests run under a client's own interpreter and play through pipes."""
