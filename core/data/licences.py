"""What the licence of a model asks of a person, in plain words. No legal advice: the licence itself decides."""

from __future__ import annotations

from typing import Literal

from core.schemas.base import Schema

Use = Literal["private", "commercial"]


class Licence(Schema):
    """`commercial` is None where conditions have to be read."""

    title: str
    words: str
    commercial: bool | None = True


_FREE = "You may use, change and sell what you make. Keep the licence text with it."
_CREDIT = "You may use, change and sell what you make. Name the authors."
_NOT_FOR_SALE = "For research and private use only: do not earn money with it."
_CONDITIONS = "Allowed with conditions of its makers (such as forbidden uses): read them before you publish."
_SHARE_ALIKE = "What you pass on has to carry the same licence."

KNOWN: dict[str, Licence] = {
    "apache-2.0": Licence(title="Apache 2.0", words=_FREE),
    "mit": Licence(title="MIT", words=_FREE),
    "bsd-3-clause": Licence(title="BSD", words=_FREE),
    "bsd-2-clause": Licence(title="BSD", words=_FREE),
    "cc0-1.0": Licence(title="Public domain (CC0)", words="You may do anything with it."),
    "cc-by-4.0": Licence(title="CC BY 4.0", words=_CREDIT),
    "cc-by-sa-4.0": Licence(title="CC BY-SA 4.0", words=f"{_CREDIT} {_SHARE_ALIKE}"),
    "cc-by-nc-4.0": Licence(title="CC BY-NC 4.0", words=_NOT_FOR_SALE, commercial=False),
    "cc-by-nc-sa-4.0": Licence(title="CC BY-NC-SA 4.0", words=f"{_NOT_FOR_SALE} {_SHARE_ALIKE}", commercial=False),
    "cc-by-nc-nd-4.0": Licence(
        title="CC BY-NC-ND 4.0", words=f"{_NOT_FOR_SALE} A changed model may not be passed on.", commercial=False
    ),
    "gpl-3.0": Licence(title="GPL 3.0", words=_SHARE_ALIKE),
    "agpl-3.0": Licence(title="AGPL 3.0", words=f"{_SHARE_ALIKE} This also holds for use over a network."),
    "openrail": Licence(title="OpenRAIL", words=_CONDITIONS, commercial=None),
    "bigscience-openrail-m": Licence(title="OpenRAIL-M", words=_CONDITIONS, commercial=None),
    "bigscience-bloom-rail-1.0": Licence(title="BLOOM RAIL", words=_CONDITIONS, commercial=None),
    "gemma": Licence(title="Gemma terms", words=_CONDITIONS, commercial=None),
    "llama2": Licence(title="Llama 2 licence", words=_CONDITIONS, commercial=None),
    "llama3": Licence(title="Llama 3 licence", words=_CONDITIONS, commercial=None),
    "llama3.1": Licence(title="Llama 3.1 licence", words=_CONDITIONS, commercial=None),
    "llama3.2": Licence(title="Llama 3.2 licence", words=_CONDITIONS, commercial=None),
    "llama3.3": Licence(title="Llama 3.3 licence", words=_CONDITIONS, commercial=None),
}


def explain(name: str) -> Licence:
    """The licence as a model card names it. Unknown names, and none, are said to be so."""
    known = KNOWN.get(name.strip().lower())
    if known:
        return known
    if not name.strip():
        return Licence(
            title="Not stated", words="Without a licence nothing is allowed: ask its makers.", commercial=None
        )
    return Licence(
        title=name, words="We do not know this licence: read it before you use what comes out.", commercial=None
    )
