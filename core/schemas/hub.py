"""A search for models on the hub: what is asked, and what is known of each model found."""

from __future__ import annotations

from typing import Literal

from .base import Schema

Sort = Literal["downloads", "likes", "last_modified"]


class HubQuery(Schema):
    """`pipeline` is the hub's name of what a model does, `language` an ISO 639-1 code, `licence` as on a model card; empty
    means any. `smallest` and `largest` bound the number of parameters; `largest` 0 means no bound."""

    text: str = ""
    pipeline: str = ""
    language: str = ""
    licence: str = ""
    smallest: int = 0
    largest: int = 0
    sort: Sort = "downloads"


class HubModel(Schema):
    """`parameters` is 0 where the hub does not know. `writes` and `pairs` as in `families.unfit`, from what the hub says of
    its architecture. `unusable` says in a sentence why it cannot be trained here at all."""

    name: str
    commit: str = ""
    parameters: int = 0
    licence: str = ""
    languages: tuple[str, ...] = ()
    gated: bool = False
    downloads: int = 0
    likes: int = 0
    changed: str = ""
    writes: bool = True
    pairs: bool = False
    unusable: str = ""


class HubFound(Schema):
    """`looked_at` models came from the hub; `left_out` of them did not have the wanted size, or did not say theirs. `more`:
    the hub has others that were not looked at."""

    models: tuple[HubModel, ...] = ()
    looked_at: int = 0
    left_out: int = 0
    more: bool = False
