"""The rules of an output filter, and what is measured of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Schema
from .estimates import Estimate

Action = Literal["mask", "replace", "refuse"]
PersonalKind = Literal["email", "phone", "card", "iban", "ssn", "ip", "key", "address", "birth"]


class FilterRule(Schema):
    """A named list of words (`*` at an end stands for further letters) or of regular expressions, and what happens."""

    name: str = Field(min_length=1, max_length=60)
    kind: Literal["words", "pattern"] = "words"
    entries: tuple[str, ...] = Field(max_length=500)
    action: Action = "mask"
    replacement: str = Field("", max_length=200)


class FilterRules(Schema):
    """What guards the answers of a round or of a whole project."""

    rules: tuple[FilterRule, ...] = Field(
        (),
        max_length=30,
        title="Rules",
        description="Lists of words or patterns, each with what happens where one is found.",
    )
    allow: tuple[str, ...] = Field(
        (), max_length=500, title="Always allowed", description="Phrases in which nothing is filtered."
    )
    personal: tuple[PersonalKind, ...] = Field(
        (), title="Personal data", description="Numbers are checked by their check digits where they have one."
    )
    personal_action: Literal["mask", "refuse"] = Field(
        "mask",
        title="Where personal data is found",
        description="Put its kind in its place, or refuse the whole answer.",
    )
    refusal: str = Field(
        "I cannot give this answer.",
        max_length=300,
        title="In place of a refused answer",
        description="One plain sentence. It is shown as if the model had said it.",
    )
    ignore_accents: bool = Field(
        False,
        title="Take letters with and without accents as equal",
        description="Finds more tricks, but in many languages an accent makes another word: schon and schön.",
    )

    @property
    def empty(self) -> bool:
        return not self.personal and not any(rule.entries for rule in self.rules)


class Caught(Schema):
    """A text that the filter changes, as it was and as it becomes, with the rules that did it."""

    before: str
    after: str
    rules: tuple[str, ...]
    refused: bool = False


class GroupRate(Schema):
    """How many of the harmless texts about one group of people are changed. `probes` are everyday sentences written for the
    audit (None: there are none in this language), `own` the answers of the person's own data that name the group."""

    axis: str
    axis_title: str
    group: str
    title: str
    probes: Estimate | None = None
    own: Estimate | None = None
    example: str = ""

    @property
    def worst(self) -> float:
        return max((e.value for e in (self.probes, self.own) if e is not None), default=0.0)


class FilterReport(Schema):
    """`recall` on the texts that must be caught, `clean` on the answers of the data, `samples` on answers that the model
    wrote; None where there are no such texts. `missed` are texts of the red list that came through."""

    recall: Estimate | None = None
    missed: tuple[str, ...] = ()
    clean: Estimate | None = None
    changed: tuple[Caught, ...] = ()
    samples: Estimate | None = None
    written: tuple[Caught, ...] = ()
    groups: tuple[GroupRate, ...] = ()
    by_rule: dict[str, dict[str, int]] = {}
    not_tested: tuple[str, ...] = ()
