"""File formats. One file each. See `core/discovery.py`; `inspect` and `read` choose the format by content."""

from core.data.shapes import suggest_roles, suggest_task
from core.discovery import discover

from ._reading import from_paste, inspect, read, stream

__all__ = ["from_paste", "inspect", "read", "registry", "stream", "suggest_roles", "suggest_task"]


def registry() -> dict:
    """Every plug-in of this folder by its key."""
    return discover(__name__)
