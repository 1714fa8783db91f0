"""Hubbub measured against its bounds, in one run on one machine; `python -m bench` runs it."""
