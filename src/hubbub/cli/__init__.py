"""The command line: starts a daemon, or talks to a running one over its public API."""
