"""What the licence of a model asks of a person, in plain words. No legal advice: the licence itself decides."""

from __future__ import annotations

from typing import Literal

from core.schemas.base import Schema

Use = Literal["private", "commercial"]


class Licence(Schema):
    """`commercial` is None where conditions have to be read. `asks` is what must be done with what is passed on; `share_alike`
    says that it has to carry the same licence. `known`: whether this table knows the licence at all."""

    title: str
    words: str
    commercial: bool | None = True
    asks: tuple[str, ...] = ()
    share_alike: bool = False
    known: bool = True


_FREE = "You may use, change and sell what you make. Keep the licence text with it."
_CREDIT = "You may use, change and sell what you make. Name the authors."
_NOT_FOR_SALE = "For research and private use only: do not earn money with it."
_CONDITIONS = "Allowed with conditions of its makers (such as forbidden uses): read them before you publish."
_SHARE_ALIKE = "What you pass on has to carry the same licence."

_TEXT = "Keep the licence text and the notice of copyright with it."
_NAME = "Name its authors, the licence and its address, and say that you changed the work."
_SAME = "Pass on what you make from it under the same licence."
_NOT_SOLD = "Do not use it, or what you make from it, to earn money."
_LLAMA = (
    "Show that it is built with Llama, and begin the new model's name with it, in the words that the licence gives."
)
_RULES = "Pass on its rules of use, and hold to them: read which uses it forbids."


def _asking(title: str, words: str, *asks: str, commercial: bool | None = True) -> Licence:
    return Licence(title=title, words=words, commercial=commercial, asks=asks, share_alike=_SAME in asks)


KNOWN: dict[str, Licence] = {
    "apache-2.0": _asking(
        "Apache 2.0", _FREE, _TEXT, "Keep its NOTICE file, if it has one, and say which files you changed."
    ),
    "mit": _asking("MIT", _FREE, _TEXT),
    "bsd-3-clause": _asking("BSD", _FREE, _TEXT, "Do not advertise with the names of its authors."),
    "bsd-2-clause": _asking("BSD", _FREE, _TEXT),
    "cc0-1.0": Licence(title="Public domain (CC0)", words="You may do anything with it."),
    "cc-by-4.0": _asking("CC BY 4.0", _CREDIT, _NAME),
    "cc-by-sa-4.0": _asking("CC BY-SA 4.0", f"{_CREDIT} {_SHARE_ALIKE}", _NAME, _SAME),
    "cc-by-nc-4.0": _asking("CC BY-NC 4.0", _NOT_FOR_SALE, _NAME, _NOT_SOLD, commercial=False),
    "cc-by-nc-sa-4.0": _asking(
        "CC BY-NC-SA 4.0", f"{_NOT_FOR_SALE} {_SHARE_ALIKE}", _NAME, _SAME, _NOT_SOLD, commercial=False
    ),
    "cc-by-nc-nd-4.0": _asking(
        "CC BY-NC-ND 4.0",
        f"{_NOT_FOR_SALE} A changed model may not be passed on.",
        _NAME,
        _NOT_SOLD,
        "Do not pass on a changed model.",
        commercial=False,
    ),
    "odc-by": _asking("ODC-By", _CREDIT, _NAME),
    "odbl": _asking("ODbL", f"{_CREDIT} A database made from it has to carry the same licence.", _NAME),
    "gpl-3.0": _asking("GPL 3.0", _SHARE_ALIKE, _TEXT, _SAME),
    "agpl-3.0": _asking("AGPL 3.0", f"{_SHARE_ALIKE} This also holds for use over a network.", _TEXT, _SAME),
    "openrail": _asking("OpenRAIL", _CONDITIONS, _RULES, commercial=None),
    "bigscience-openrail-m": _asking("OpenRAIL-M", _CONDITIONS, _RULES, commercial=None),
    "bigscience-bloom-rail-1.0": _asking("BLOOM RAIL", _CONDITIONS, _RULES, commercial=None),
    "gemma": _asking("Gemma terms", _CONDITIONS, _RULES, commercial=None),
    "llama2": _asking("Llama 2 licence", _CONDITIONS, _RULES, commercial=None),
    "llama3": _asking("Llama 3 licence", _CONDITIONS, _RULES, _LLAMA, commercial=None),
    "llama3.1": _asking("Llama 3.1 licence", _CONDITIONS, _RULES, _LLAMA, commercial=None),
    "llama3.2": _asking("Llama 3.2 licence", _CONDITIONS, _RULES, _LLAMA, commercial=None),
    "llama3.3": _asking("Llama 3.3 licence", _CONDITIONS, _RULES, _LLAMA, commercial=None),
}


def explain(name: str) -> Licence:
    """The licence as a model card names it. Unknown names, and none, are said to be so."""
    known = KNOWN.get(name.strip().lower())
    if known:
        return known
    if not name.strip():
        return Licence(
            title="Not stated",
            words="Without a licence nothing is allowed: ask its makers.",
            commercial=None,
            known=False,
        )
    return Licence(
        title=name,
        words="We do not know this licence: read it before you use what comes out.",
        commercial=None,
        known=False,
    )
