"""Issues, and the locks on them."""
