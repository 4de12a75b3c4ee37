"""The job file of `python -m core run`: one whole journey, from the data to the exported model, declared once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from .base import Schema
from .examples import SPLITS, Split
from .imports import ImportOptions
from .plan import PreparationPlan
from .recipe import Recipe

Step = Literal["train", "evaluate", "audit", "export"]
STEPS: tuple[Step, ...] = ("train", "evaluate", "audit", "export")


class DataFiles(Schema):
    """Where the examples are. A path that is not absolute starts at the folder of the job file."""

    train: str = Field(
        min_length=1,
        title="Training",
        description="The file with the examples. Alone, it is split into all three parts.",
    )
    validation: str | None = Field(
        None, min_length=1, title="Validation", description="A file of its own; else rows are drawn from training."
    )
    test: str | None = Field(
        None, min_length=1, title="Test", description="A file of its own; else rows are drawn from training."
    )

    @property
    def parts(self) -> dict[Split, str]:
        """The files that are given, by the part they are for."""
        paths = {part: getattr(self, part) for part in SPLITS}
        return {part: path for part, path in paths.items() if path is not None}


class JobRecipe(Recipe):
    """A preset that adapts to model and data, and what to change in it. Only keys that are written down change it."""

    preset: Literal["quick", "balanced", "thorough"] = Field(
        "balanced", title="Preset", description="The recipe to start from; every other key changes one of its settings."
    )

    @property
    def overrides(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set - {"preset"}}


class JobFile(Schema):
    """Everything `python -m core run` is told. Unknown keys are refused at every level."""

    task: str = Field(
        title="Task",
        description="What the model should learn: classification, multi_label, regression, chat, preference, text_to_text or "
        "completion.",
    )
    data: DataFiles = Field(
        title="Data",
        description="The path of a file that will be split, or a file a part (keys train, validation, test). Relative "
        "paths start at the folder of the job file.",
    )
    columns: dict[str, str] = Field(
        {},
        title="Columns",
        description="Which column plays which role, for example {text: message, label: category}. A role that is left "
        "out is guessed.",
    )
    read: ImportOptions = Field(
        ImportOptions(), title="Reading", description="How to read the files, where detection gets it wrong."
    )
    model: str = Field(
        "starter",
        min_length=1,
        title="Base model",
        description="starter, the path of a model folder, or the hub name of a model (organisation/name, or "
        "organisation/name@revision).",
    )
    preparation: PreparationPlan = Field(
        PreparationPlan(),
        title="Preparation",
        description="The split and the maximum length, which by default leaves 99 of 100 examples whole.",
    )
    recipe: JobRecipe = Field(JobRecipe(), title="Recipe", description="A preset, and changes to it.")
    steps: tuple[Step, ...] = Field(
        ("train", "evaluate"),
        title="Steps",
        description="Some of train, evaluate, audit, export; an empty list only imports, checks and splits the data.",
    )
    formats: tuple[str, ...] = Field(
        ("merged",),
        min_length=1,
        title="Formats",
        description="What the step export makes: some of merged, merged-16, gguf-f16, gguf-q8_0, onnx, adapter.",
    )
    project: str = Field(
        "", max_length=80, title="Project", description="Name of the new project; by default that of the job file."
    )
    goal: str = Field(
        "",
        max_length=2000,
        title="Goal",
        description="What the model is for, in a sentence or two, for its model card.",
    )

    @field_validator("data", mode="before")
    @classmethod
    def _one_path_is_a_training_file(cls, value: Any) -> Any:
        return {"train": value} if isinstance(value, str) else value

    @field_validator("steps", mode="after")
    @classmethod
    def _steps_in_order(cls, value: tuple[Step, ...]) -> tuple[Step, ...]:
        if value and "train" not in value:
            raise ValueError(f"{value[0]} needs a trained model: add train")
        return tuple(step for step in STEPS if step in value)

    @model_validator(mode="after")
    def _split_given_once(self) -> JobFile:
        said = {"strategy", "column"} & self.preparation.split.model_fields_set
        if len(self.data.parts) > 1 and said:
            raise ValueError("the split is given twice: by one file a part, and by preparation.split. Leave one out")
        return self
