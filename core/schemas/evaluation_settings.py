"""What a person can choose of an evaluation in which a model writes."""

from __future__ import annotations

from pydantic import Field

from .base import Schema
from .predictor import Decoding


class WritingSettings(Schema):
    """How many answers are written, and how. The form, its tooltips and its bounds come from here."""

    answers: int = Field(
        100,
        ge=0,
        le=100_000,
        title="Answers to write",
        description="Likelihood is measured on every row; answers are written in full for this many, the first rows. Both "
        "models write the same ones. More takes longer and makes the ranges narrower.",
        json_schema_extra={"level": "basic"},
    )
    max_new_tokens: int = Field(
        128,
        ge=1,
        le=4096,
        title="Longest answer (tokens)",
        description="An answer is cut here; the figure “Finished answers” says how often that happened.",
        json_schema_extra={"level": "basic"},
    )
    temperature: float = Field(
        0.0,
        ge=0,
        le=2,
        title="Temperature",
        description="0 takes the likeliest word each time, so that the same model always gives the same answer. Higher is freer.",
        json_schema_extra={"level": "basic"},
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="For temperatures above 0: the same seed gives the same answers again, and both models the same draws.",
        json_schema_extra={"level": "basic"},
    )
    top_p: float = Field(
        1.0,
        gt=0,
        le=1,
        title="Likeliest words (top-p)",
        description="For temperatures above 0: only the likeliest words that together have this share are drawn from.",
        json_schema_extra={"level": "advanced"},
    )
    repetition_penalty: float = Field(
        1.0,
        ge=1,
        le=2,
        title="Penalty for repeating",
        description="Above 1, words that were already said become less likely. 1 is none, 1.1 to 1.3 is usual.",
        json_schema_extra={"level": "advanced"},
    )

    @property
    def decoding(self) -> Decoding:
        return Decoding.model_validate(self.model_dump(exclude={"answers"}))
