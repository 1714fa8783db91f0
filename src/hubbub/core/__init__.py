"""Rules and services: no sockets, no SQL, no wire names."""
