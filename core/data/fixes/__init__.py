"""Mend a dataset: each fix turns a table into a new one, after a preview of what it would change. Nothing is in place.

One file each; see `core/discovery.py` and `_fix.py` for what a fix declares. A table is a DataFrame with a column
`row_id`; `roles` maps a role (text, label, prompt, response, messages, ...) to its column. Row ids survive every fix:
rows are dropped, cells changed, and a row that is cut in pieces keeps its id in theirs; nothing is renumbered.
"""

from core.discovery import discover

from ._apply import apply, apply_steps, find, preview, preview_steps
from ._common import proposed_merges
from ._fix import CHUNK_OF, Change, Edit, Fix, Preview, ShownRow

__all__ = [
    "CHUNK_OF", "Change", "Edit", "Fix", "Preview", "ShownRow", "apply", "apply_steps", "find", "preview",
    "preview_steps", "proposed_merges", "registry",
]  # fmt: skip


def registry() -> dict[str, Fix]:
    """Every fix of this folder by its key, in the order of the menu."""
    return discover(__name__)
