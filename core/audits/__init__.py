"""Audits: whether a model treats groups of people alike. One file each. See `core/discovery.py`."""

from core.discovery import discover


def registry() -> dict:
    """Every plug-in of this folder by its key."""
    return discover(__name__)
