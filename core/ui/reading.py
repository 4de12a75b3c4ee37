"""Texts from outside made pleasant to read, and harmless: Markdown without HTML, pictures or links that lead anywhere."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.data.direction import direction

LONGEST = 40_000  # characters that are drawn
_LINKS = "links"


def reading_html(text: str, *, raw: bool = False) -> str:
    """A text for `st.html`, set in the direction in which it is read. `raw` shows it as it was written.

    HTML is shown as text, a picture as its description and address, a link as its words and address: nothing is fetched
    and nothing leads away by accident.
    """
    shown = text[:LONGEST]
    inner = f'<div class="tw-raw">{escape(shown)}</div>' if raw else str(_renderer().render(shown, {}))
    if not shown.strip():
        inner = '<p class="tw-quiet">(nothing)</p>'
    if len(text) > LONGEST:
        inner += f'<p class="tw-quiet">… and {len(text) - LONGEST:,} characters more</p>'
    return f'<div class="tw-read" dir="{direction(shown)}">{inner}</div>'


@cache
def _renderer() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    made.add_render_rule("image", _picture)
    made.add_render_rule("link_open", _link_open)
    made.add_render_rule("link_close", _link_close)
    return made


def _picture(_self: Any, tokens: Sequence[Token], place: int, _options: Any, _env: Any) -> str:
    token = tokens[place]
    said = ": ".join(part for part in (token.content, str(token.attrs.get("src", ""))) if part)
    return f'<span class="tw-quiet">[picture, not loaded: {escape(said)}]</span>'


def _link_open(
    _self: Any, tokens: Sequence[Token], place: int, _options: Any, env: MutableMapping[str, list[str]]
) -> str:
    env.setdefault(_LINKS, []).append(str(tokens[place].attrs.get("href", "")))
    return '<span class="tw-link">'


def _link_close(
    _self: Any, _tokens: Sequence[Token], _place: int, _options: Any, env: MutableMapping[str, list[str]]
) -> str:
    return f'</span> <span class="tw-quiet">({escape(env[_LINKS].pop())})</span>'
