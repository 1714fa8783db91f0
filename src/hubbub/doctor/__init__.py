"""``hubbub doctor``: what is wrong with a daemon and its place, and what would fix it."""

from hubbub.doctor.finding import Finding


__all__ = ["Finding"]
