"""The wire language of CAR clients."""
