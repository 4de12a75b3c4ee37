"""Small HTML fragments with every text from outside escaped. Nothing is drawn here; the others pass it to st.html."""

from __future__ import annotations

import re
from html import escape
from typing import Literal

Icon = Literal["good", "info", "warning", "error", "up", "down", "equal", "few"]


def icon(name: Icon) -> str:
    """An icon that takes the text colour around it. Decoration only: the words beside it say the same."""
    return f'<span class="tw-icon tw-icon-{name}" aria-hidden="true"></span>'


def note(kind: Literal["good", "info", "warning", "error"], title: str, *paragraphs: str, aside: str = "") -> str:
    """A message with an icon. `title` and `aside` are plain text and escaped; paragraphs are HTML, see `paragraph`."""
    quiet = f' <span class="tw-quiet tw-count">{escape(aside)}</span>' if aside else ""
    return (
        f'<div class="tw-note tw-{kind}" role="note">{icon(kind)}<div class="tw-note-body">'
        f'<p class="tw-note-title">{escape(title)}{quiet}</p>{"".join(paragraphs)}</div></div>'
    )


def paragraph(text: str, label: str = "", quiet: bool = False) -> str:
    """Plain text as an escaped paragraph, with a bold word before it; nothing where there is no text."""
    if not text:
        return ""
    before = f'<span class="tw-label">{escape(label)}</span> ' if label else ""
    return f"<p{' class=tw-quiet' if quiet else ''}>{before}{escape(text)}</p>"


_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^=])")
# Streamlit rewrites these after the Markdown was read, so that a backslash does not help: icons, arrows, addresses.
_REWRITTEN = re.compile(r":(?=material/|//)|[-<>~=](?=[-=>])|www(?=\.)|(?=@)")
_WORD_JOINER = "\u2060"  # has no width


def plain(text: str) -> str:
    """Text from outside for a place that takes Markdown: shown as it is, whatever it holds."""
    apart = _REWRITTEN.sub(lambda found: found[0] + _WORD_JOINER, text)
    return _MARKDOWN.sub(r"\\\1", apart).replace("\n", " ")
