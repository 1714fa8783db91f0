"""The composition root: builds, opens, drains and closes the parts of the daemon."""
