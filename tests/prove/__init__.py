"""Tests of ``hubbub prove``: the judges with made-up histories, the whole with broken daemons."""
