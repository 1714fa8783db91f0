"""Tests: black-box ones drive a daemon process, the others the parts by themselves."""
