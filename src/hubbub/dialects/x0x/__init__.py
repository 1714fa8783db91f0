"""The wire language of x0x clients."""
