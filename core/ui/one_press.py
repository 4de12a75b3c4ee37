"""One press decides one item: for screens on which keys go through a list of things to be judged."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st


class OnePress:
    """Takes at most one decision for each item that was drawn.

    While the browser replaces the buttons of one item by those of the next, one press can reach both. So each item has
    buttons of its own (its place in their `key`), and only the item that was drawn last is decided, once.

        press = OnePress(f"queue-{queue.id}", item.row_id)   # in the run that draws the item
        if press.takes():                                    # in the callback of its buttons
            decide(item)
    """

    def __init__(self, name: str, item: str | int | None) -> None:
        self.key, self.item = f"shown-{name}", item
        st.session_state[self.key] = item
        _key_guard()(key=f"key-guard-{name}", data={})

    def takes(self) -> bool:
        """Whether this press counts. A second one for the same item does not."""
        if self.item is None or st.session_state.get(self.key) != self.item:
            return False
        st.session_state[self.key] = None
        return True


@cache
def _key_guard() -> Any:
    return st.components.v2.component("tunewell_key_guard", js=_NO_REPEATS, isolate_styles=False)


# A key that is held down sends one press after another, and each would find the buttons of the next item.
_NO_REPEATS = """export default function () {
  if (window.tunewellKeyGuard) return;
  window.tunewellKeyGuard = true;
  const typing = (event) => event.composedPath().some((node) =>
    node.tagName && (/^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) || node.isContentEditable));
  window.addEventListener("keydown", (event) => {
    if (!event.repeat || event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}"""
