"""The wire language of crosslink clients."""
