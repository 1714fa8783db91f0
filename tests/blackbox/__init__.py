"""Promises and manners of the daemon process, seen from outside."""
