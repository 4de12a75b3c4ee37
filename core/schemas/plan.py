"""The preparation plan: how rows become training, validation and test examples, and how they are cut to length."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .base import Schema


class SplitPlan(Schema):
    """Which rows are for training, for validation and for the locked test set."""

    strategy: Literal["stratified", "random", "column", "given"] = Field(
        "stratified",
        title="How to split",
        description="Stratified keeps the share of every label the same in all three parts. By column keeps rows that "
        "share a value (for example a customer) together. Given uses a column that names the part of each row.",
        json_schema_extra={
            "options": {
                "stratified": "Stratified by label",
                "random": "At random",
                "column": "Keep groups together",
                "given": "Use a column of the file",
            }
        },
    )
    validation: float = Field(
        0.15,
        ge=0.01,
        le=0.45,
        title="Validation share",
        description="Rows used during training to see how well it goes.",
    )
    test: float = Field(
        0.2, ge=0.01, le=0.45, title="Test share", description="Rows locked away until the end, for an honest score."
    )
    column: str | None = Field(None, title="Column", description="The column that groups rows or names their part.")
    seed: int = Field(17, ge=0, le=2**31 - 1, title="Seed", description="The same seed gives the same split again.")

    @model_validator(mode="after")
    def _column_where_needed(self) -> SplitPlan:
        if self.strategy in ("column", "given") and not self.column:
            raise ValueError("choose the column to split by")
        return self


class PreparationPlan(Schema):
    """Everything between a dataset version and the tokens that training sees."""

    split: SplitPlan = SplitPlan()
    max_length: int = Field(
        256,
        ge=8,
        le=131072,
        title="Maximum length",
        description="Longer examples are cut to this many tokens. Longer costs more memory and time.",
        json_schema_extra={"unit": "tokens"},
    )
    truncation_side: Literal["right", "left"] = Field(
        "right",
        title="Where to cut",
        description="Right cuts the end of a text that is too long, left its beginning.",
        json_schema_extra={"options": {"right": "Cut the end", "left": "Cut the beginning"}},
    )
    packing: bool = Field(
        True,
        title="Pack short examples together",
        description="Puts several short examples into one sequence so that less of the work is padding.",
        json_schema_extra={"level": "advanced"},
    )
    system_prompt: str = Field(
        "",
        max_length=4000,
        title="System prompt",
        description="A standing instruction put before every conversation that has none of its own.",
        json_schema_extra={"level": "advanced"},
    )
