"""Health checks of a dataset. One file each. See `core/discovery.py` and `_check.py` for what a check declares."""

from core.discovery import discover


def registry() -> dict:
    """Every check of this folder by its key, in the order of the report."""
    return discover(__name__)
