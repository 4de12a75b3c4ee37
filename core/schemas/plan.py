"""The preparation plan: how rows become training, validation and test examples, and how they are cut to length."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .base import Schema

Strategy = Literal["stratified", "random", "column", "cluster", "time", "given"]
NEEDS_COLUMN: tuple[Strategy, ...] = ("column", "time", "given")


class SplitPlan(Schema):
    """Which rows are for training, for validation and for the locked test set."""

    strategy: Strategy = Field(
        "stratified",
        title="How to split",
        description="Stratified keeps the share of every label the same in all three parts. By column keeps rows that "
        "share a value (for example a customer) together. Cluster keeps nearly equal texts together. Time tests on the "
        "newest rows of a date column. Given uses a column that names the part of each row.",
        json_schema_extra={
            "options": {
                "stratified": "Stratified by label",
                "random": "At random",
                "column": "Keep groups together",
                "cluster": "Keep nearly equal texts together",
                "time": "By time: the newest rows are the test",
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
    column: str | None = Field(
        None, title="Column", description="The column that groups rows, dates them or names their part."
    )
    seed: int = Field(17, ge=0, le=2**31 - 1, title="Seed", description="The same seed gives the same split again.")

    @model_validator(mode="after")
    def _column_where_needed(self) -> SplitPlan:
        if self.strategy in NEEDS_COLUMN and not self.column:
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
    padding: Literal["bucket", "batch", "fixed"] = Field(
        "bucket",
        title="Padding",
        description="How short examples are filled up where they are not packed. Bucket takes examples of similar length "
        "together, batch fills up to the longest of a random batch, fixed fills every example to the maximum length.",
        json_schema_extra={
            "level": "advanced",
            "options": {
                "bucket": "Similar lengths together",
                "batch": "To the longest of each batch",
                "fixed": "To the maximum length",
            },
        },
    )
    chunk_overlap: int = Field(
        0,
        ge=0,
        le=65536,
        title="Overlap of parts",
        description="A long text to continue is read in parts. Each part begins with this many tokens of the one before it, "
        "which are read for context and not learned twice.",
        json_schema_extra={"level": "advanced", "unit": "tokens"},
    )
    answers_only: bool = Field(
        True,
        title="Learn the answers only",
        description="The model learns to write the answers. Off, it also learns to write what people ask.",
        json_schema_extra={"level": "advanced"},
    )
    turns: Literal["all", "last"] = Field(
        "all",
        title="Which answers are learned",
        description="In a conversation with several answers, learn each of them or only the last.",
        json_schema_extra={"level": "advanced", "options": {"all": "Every answer", "last": "Only the last answer"}},
    )
    chat_template: str = Field(
        "",
        max_length=100_000,
        title="Chat template",
        description="A Jinja template that turns a conversation into text. Empty: the one that the model brings.",
        json_schema_extra={"level": "advanced"},
    )
    system_prompt: str = Field(
        "",
        max_length=4000,
        title="System prompt",
        description="A standing instruction put before every conversation that has none of its own.",
        json_schema_extra={"level": "advanced"},
    )

    @model_validator(mode="after")
    def _overlap_leaves_room(self) -> PreparationPlan:
        if self.chunk_overlap > self.max_length // 2:
            raise ValueError("the overlap of parts may be at most half of the maximum length")
        return self
