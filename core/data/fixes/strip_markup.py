"""Remove what belongs to a web page and not to a text: HTML tags and entities, Markdown signs, addresses if wanted.

Every pattern is bounded, so that a cell of a million letters is read in linear time.
"""

from __future__ import annotations

import html
import re

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ._common import rewrite_texts
from ._fix import Change, Fix, Roles

# Only names that HTML has: <name>, <user> or <|end|> in a text are placeholders, and `a < b` is arithmetic.
_BREAKS = "address article aside blockquote br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr "
_BREAKS += "li main nav ol option p pre section table tbody td tfoot th thead title tr ul"
_INLINE = "a abbr acronym audio b base bdi bdo big body button canvas caption center cite code col colgroup data datalist del "
_INLINE += "details dfn dialog em embed font frame frameset head html i iframe img input ins kbd label legend link map mark menu "
_INLINE += (
    "meta meter noscript object optgroup output param picture progress q rp rt ruby s samp script select slot small "
)
_INLINE += "source span strike strong style sub summary sup svg template textarea time track tt u var video wbr"
_ATTRIBUTES = r"(?:\s[^<>]{0,2000})?/?"
_DOCTYPE = re.compile(r"(?i)<!doctype[^<>]{0,300}>")
# What nobody sees: everything from the opening to the closing.
_HIDDEN = (
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"(?i)<script\b[^<>]{0,2000}>"), re.compile(r"(?i)</script\s{0,5}>")),
    (re.compile(r"(?i)<style\b[^<>]{0,2000}>"), re.compile(r"(?i)</style\s{0,5}>")),
)
_BREAK = re.compile(rf"(?i)</?(?:{'|'.join(_BREAKS.split())}){_ATTRIBUTES}>")
_TAG = re.compile(rf"(?i)</?(?:{'|'.join(_INLINE.split())}){_ATTRIBUTES}>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

_MARKDOWN = (
    (re.compile(r"(?m)^[ \t]{0,3}(?:```|~~~)[\w+-]{0,30}[ \t]*$\n?"), ""),  # the fence, not the code in it
    (re.compile(r"(?m)^[ \t]{0,3}#{1,6}[ \t]+"), ""),
    (re.compile(r"(?m)^[ \t]{0,3}(?:>[ \t]?){1,5}"), ""),
    (re.compile(r"(?m)^[ \t]{0,3}(?:(?:\*[ \t]?){3,20}|(?:-[ \t]?){3,20}|(?:_[ \t]?){3,20})$\n?"), ""),
    (re.compile(r"!?\[([^\[\]\n]{0,500})\]\(<?[^()\s<>]{0,2000}>?(?:[ \t]+\"[^\"\n]{0,300}\")?\)"), r"\1"),
    (re.compile(r"(?<![\w*\\])(\*{1,3})(?=[^\s*])([^*\n]{0,500}?[^\s*])\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<![\w_\\])(_{1,3})(?=[^\s_])([^_\n]{0,500}?[^\s_])\1(?![\w_])"), r"\2"),
    (re.compile(r"(?<!~)~~(?=\S)([^~\n]{1,500}?)~~(?!~)"), r"\1"),
    (re.compile(r"(?<!`)`([^`\n]{1,500})`(?!`)"), r"\1"),
)
_ADDRESS = re.compile(r"(?i)\b(?:https?://|ftp://|www\.)[^\s<>\"]{1,2000}")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")
_LINES = re.compile(r"[ \t]*\n(?:[ \t]*\n){2,}")


class Options(Schema):
    tags: bool = Field(
        True,
        title="HTML tags",
        description="Removes tags such as `<b>` and `<br>`, with scripts, styles and comments. The words between them stay.",
    )
    entities: bool = Field(
        True, title="HTML codes", description="Turns codes such as `&amp;` and `&nbsp;` into the signs they stand for."
    )
    markdown: bool = Field(
        True,
        title="Markdown signs",
        description="Removes the signs for headings, bold, links and code. The words and the bullets of lists stay.",
    )
    addresses: bool = Field(
        False,
        title="Web addresses",
        description="Removes addresses such as https://… Leave it off where the address itself carries meaning.",
    )


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    return rewrite_texts(table, roles, lambda text: without_markup(text, options))


def without_markup(text: str, options: Options) -> str:
    """Until nothing changes: a code may hide a tag, and a tag in bold leaves its stars."""
    for _ in range(5):
        after = _once(text, options)
        if after == text:
            break
        text = after
    return text


def _once(text: str, options: Options) -> str:
    before = text
    if options.entities and "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\u00a0", " "), text)
    if options.tags and "<" in text:
        text = _TAG.sub("", _BREAK.sub("\n", _DOCTYPE.sub("", _without_hidden(text))))
    if options.markdown:
        for pattern, new in _MARKDOWN:
            text = pattern.sub(new, text)
    if options.addresses:
        text = _ADDRESS.sub(_without_address, text)
    if text == before:
        return text
    return _LINES.sub("\n\n", _SPACES.sub(" ", text)).strip()


def _without_hidden(text: str) -> str:
    for opening, closing in _HIDDEN:
        parts, at = [], 0
        while (begin := opening.search(text, at)) and (end := closing.search(text, begin.end())):
            parts += [text[at : begin.start()], " "]
            at = end.end()
        text = "".join([*parts, text[at:]])
    return text


def _without_address(found: re.Match[str]) -> str:
    """A full stop or bracket behind an address belongs to the sentence."""
    return found[0][len(found[0].rstrip(".,;:!?)]}'")) :]


PLUGIN = Fix(
    "strip_markup",
    "Remove markup",
    "Removes HTML and Markdown from the texts and keeps their words.",
    plan,
    Options,
    order=55,
)
