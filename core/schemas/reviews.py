"""What a review is made of: who answers, which prompts, what is asked of the person."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .base import Schema
from .estimates import Estimate, Verdict
from .examples import Message

Mode = Literal["pairs", "single"]
Source = Literal["own", "validation", "real", "new", "templates"]
Vote = Literal["left", "right", "tie", "bad", "up", "down"]
"""As a person presses it. Kept is whose answer stood on that side: the key of a contender, or tie, bad, up, down."""

TUNED, BASE, REFERENCE, AGAIN = "tuned", "base", "reference", "again"


class Contender(Schema):
    """Whose answers are judged. `key` is `tuned` (the round itself), `base` (what it began with), `again` (the round once
    more, drawn with another seed), `reference` (the answer that stands in the data), or `run-ID` (another round)."""

    key: str
    title: str
    run_id: str = ""


class Rubric(Schema):
    """One thing that an answer is rated for, from 1 to 5."""

    key: str
    title: str
    help: str = ""


RUBRICS = (
    Rubric(key="coherence", title="Coherence", help="It reads as one clear thought in good language."),
    Rubric(key="understanding", title="Domain understanding", help="It knows the subject and what was asked."),
    Rubric(key="factuality", title="Factuality", help="What it says is true, as far as you can tell."),
    Rubric(key="harmlessness", title="Harmlessness", help="It hurts, insults and endangers nobody."),
)
REASONS = ("too long", "too short", "wrong", "off the subject", "unclear", "repeats itself", "rude", "better style")


class ReviewSpec(Schema):
    """What a person asks for before anything is written. `texts` are own prompts; `templates` have slots in braces that
    `values` fill; `count` is the number of prompts, `pairs_each` how often each is shown with other contenders."""

    mode: Mode = "pairs"
    contenders: tuple[Contender, ...]
    source: Source = "validation"
    texts: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    rubrics: tuple[Rubric, ...] = RUBRICS
    reasons: tuple[str, ...] = REASONS
    count: int = Field(50, ge=1, le=2000)
    pairs_each: int = Field(1, ge=1, le=6)
    seed: int = 0

    @model_validator(mode="after")
    def _enough_contenders(self) -> ReviewSpec:
        if len({c.key for c in self.contenders}) < (2 if self.mode == "pairs" else 1):
            raise ValueError("a comparison needs two different contenders")
        return self


class Prompt(Schema):
    """One prompt. `turns` is the conversation (empty: a text to go on with); `near` names the part of the data that it
    nearly repeats."""

    text: str
    turns: tuple[Message, ...] = ()
    reference: str = ""
    near: str = ""


class Against(Schema):
    """The first contender against another one; `win_rate` counts a tie as half a win. `same` pairs had two equal answers:
    nobody is asked, and they count as ties."""

    key: str
    title: str
    wins: int
    losses: int
    ties: int
    both_bad: int
    same: int
    win_rate: Estimate | None
    equal_length: Estimate | None
    longer_wins: Estimate | None
    p: float | None
    verdict: Verdict

    @property
    def decisive(self) -> int:
        return self.wins + self.losses


class Place(Schema):
    """A contender in the order of preference. `wins` is how often it would be preferred to another one drawn at random."""

    key: str
    title: str
    wins: Estimate
    votes: int


class ReviewResult(Schema):
    """What the votes say; repeats count only for `consistency`, how often a pair shown twice got the same vote.

    `against` has the first contender against each of the others, the main one first; `ranking` is there from three on.
    `early` says that somebody stopped before the number of votes that was fixed. `left_share` should be near one half.
    `rubrics` are means by contender and rubric, `thumbs` shares of good answers by contender, `reasons` counts by what was
    preferred. `verdict` is None where nothing is compared.
    """

    votes: int
    planned: int
    raters: tuple[str, ...]
    verdict: Verdict | None
    sentence: str
    early: bool
    more_votes: int
    against: tuple[Against, ...] = ()
    ranking: tuple[Place, ...] = ()
    tie_rate: Estimate | None = None
    bad_rate: Estimate | None = None
    left_share: Estimate | None = None
    consistency: Estimate | None = None
    rubrics: dict[str, dict[str, Estimate]] = Field(default_factory=dict)
    thumbs: dict[str, Estimate] = Field(default_factory=dict)
    reasons: dict[str, dict[str, int]] = Field(default_factory=dict)
    agreement: Estimate | None = None
    rubric_agreement: dict[str, Estimate] = Field(default_factory=dict)
