"""The tokens of an example, one by one, marked as trained on, context, padding or cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Literal

import streamlit as st

Kind = Literal["trained", "raised", "lowered", "context", "padding", "cut"]

_LEGEND: dict[Kind, tuple[str, str]] = {
    "trained": ("trained on", "the model learns to write these"),
    "raised": ("made likelier", "training pulls the model towards these"),
    "lowered": ("made less likely", "training pushes the model away from these"),
    "context": ("context", "read, but not learned"),
    "padding": ("padding", "filler, ignored"),
    "cut": ("cut off", "beyond the maximum length, never seen"),
}


@dataclass(frozen=True)
class TokenPiece:
    """One token: the text that it stands for, its id in the tokenizer, and what training does with it."""

    text: str
    id: int
    kind: Kind


def token_strip(pieces: Sequence[TokenPiece], *, limit: int = 1500) -> None:
    """Draw the tokens with a legend in words; hovering over one shows its id. At most `limit` tokens are drawn."""
    st.html(token_html(pieces, limit))


def token_html(pieces: Sequence[TokenPiece], limit: int = 1500) -> str:
    """The strip as HTML, all text escaped. A run of padding becomes one piece with its length."""
    counts = Counter(piece.kind for piece in pieces)
    legend = "".join(
        f'<span><span class="tw-token tw-token-{kind}">{name}</span>{counts[kind]:,} · {meaning}</span>'
        for kind, (name, meaning) in _LEGEND.items()
        if counts[kind]
    )
    strip = []
    for kind, run in groupby(pieces[:limit], key=lambda piece: piece.kind):
        group = list(run)
        if kind == "padding" and len(group) > 3:
            strip.append(_span(kind, f"{escape(group[0].text)} × {len(group):,}", f"id {group[0].id}"))
        else:
            strip += [_span(kind, _visible(piece.text), f"id {piece.id}") for piece in group]
    if len(pieces) > limit:
        strip.append(f' <span class="tw-quiet">and {len(pieces) - limit:,} more tokens</span>')
    return f'<div class="tw-token-legend">{legend}</div><div class="tw-tokens">{"".join(strip)}</div>'


def _span(kind: Kind, body: str, title: str) -> str:
    return f'<span class="tw-token tw-token-{kind}" title="{title}, {_LEGEND[kind][0]}">{body}</span>'


def _visible(text: str) -> str:
    """Escaped text in which spaces at the edges, tabs and line breaks can be seen."""
    if not text:
        return "<i>∅</i>"
    inner = text.strip(" ")
    left = len(text) - len(text.lstrip(" ")) if inner else len(text)
    right = len(text) - len(text.rstrip(" ")) if inner else 0
    shown = escape(inner).replace("\r", "<i>␍</i>").replace("\t", "<i>⇥</i>").replace("\n", "<i>↵</i><br>")
    return f"<i>{'·' * left}</i>{shown}<i>{'·' * right}</i>" if left or right else shown
