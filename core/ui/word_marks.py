"""A text with the words marked that an answer hangs on: by underline, signs and strength, so that colour is not needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from core.data.direction import direction
from core.data.word_influence import Marked


def marks_html(found: Sequence[Marked], change_text: Callable[[float], str], name: str, toward: str) -> str:
    """For `st.html`. `change_text` writes a change of the figure and `name` says what the figure is; `toward` is what a word
    speaks for (plain texts)."""
    body = "".join(_span(piece, change_text, name) for piece in found)
    whole = "".join(piece.text for piece in found)
    legend = (
        f'<span><span class="tw-mark tw-mark-for tw-mark-2">word<sup>+</sup></span>speaks for {escape(toward)}</span>'
        f'<span><span class="tw-mark tw-mark-against tw-mark-2">word<sup>−</sup></span>speaks against it</span>'
        "<span>a thicker line: it changes more</span>"
    )
    return (
        f'<div class="tw-marks" dir="{direction(whole)}">{body}</div>'
        f'<div class="tw-token-legend tw-marks-legend">{legend}</div>'
    )


def _span(piece: Marked, change_text: Callable[[float], str], name: str) -> str:
    text = escape(piece.text)
    if piece.change is None:
        return text
    moves = "falls" if piece.change > 0 else "rises"
    said = f"without it {name} {moves} by {change_text(abs(piece.change))}"
    if not piece.level:
        return f'<span title="{escape(said)}">{text}</span>'
    sign = "+" if piece.side == "for" else "−"
    return (
        f'<span class="tw-mark tw-mark-{piece.side} tw-mark-{piece.level}" title="{escape(said)}">{text}'
        f'<sup aria-label="{escape(said)}">{sign}</sup></span>'
    )
