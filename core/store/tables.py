"""The tables. Documents whose shape a schema owns are JSON columns; what is searched or joined is a column."""

from __future__ import annotations

import time
import uuid
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, MetaData, UniqueConstraint, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id() -> str:
    """A short random identifier that is safe in addresses and file names."""
    return uuid.uuid4().hex[:12]


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {dict[str, Any]: JSON, list[Any]: JSON}


class Row:
    """Columns of every table that is not append-only. Times are seconds since 1970 (UTC)."""

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[float] = mapped_column(default=time.time)


def _of_project() -> Mapped[str]:
    return mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)


class Project(Row, Table):
    """`settings` holds the drafts of the forms: plan, recipe, decoding, responsible-use answers."""

    __tablename__ = "project"
    name: Mapped[str]
    task: Mapped[str | None]
    goal: Mapped[str] = mapped_column(default="")
    success: Mapped[dict[str, Any]] = mapped_column(default=dict)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    dataset_version_id: Mapped[str | None]
    base_model_key: Mapped[str | None]
    sample_key: Mapped[str | None]
    updated_at: Mapped[float] = mapped_column(default=time.time)


class Upload(Row, Table):
    """A file that was given to the project, kept unchanged under its hash."""

    __tablename__ = "upload"
    project_id: Mapped[str] = _of_project()
    filename: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]


class DatasetVersion(Row, Table):
    """Immutable but for the person's `note`. `content` is the hash under which its Parquet file lies; `lineage` changes
    with the test set."""

    __tablename__ = "dataset_version"
    __table_args__ = (UniqueConstraint("project_id", "number"),)
    project_id: Mapped[str] = _of_project()
    number: Mapped[int]
    lineage: Mapped[int] = mapped_column(default=1)
    parent_id: Mapped[str | None]
    title: Mapped[str]
    content: Mapped[str]
    rows: Mapped[int]
    roles: Mapped[dict[str, Any]]
    origin: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    health: Mapped[dict[str, Any] | None]
    note: Mapped[str | None]


class RowQueue(Row, Table):
    """Rows of a version that a person goes through one by one. `items` holds, worst first, each row's id, label and the
    label that the other rows suggest. `made_version_id` is the version that the decisions became."""

    __tablename__ = "row_queue"
    project_id: Mapped[str] = _of_project()
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id", ondelete="CASCADE"), index=True)
    source: Mapped[str]
    title: Mapped[str]
    items: Mapped[list[Any]]
    made_version_id: Mapped[str | None]


class RowDecision(Row, Table):
    """What a person decided about one row of a queue: keep, drop, relabel (with `label`) or skip."""

    __tablename__ = "row_decision"
    __table_args__ = (UniqueConstraint("queue_id", "row_id"),)
    queue_id: Mapped[str] = mapped_column(ForeignKey("row_queue.id", ondelete="CASCADE"), index=True)
    row_id: Mapped[str]
    action: Mapped[str]
    label: Mapped[str | None]


class BaseModel(Row, Table):
    """A pre-trained model that is on this machine. `id` is its key; `facts` is a `ModelFacts`."""

    __tablename__ = "base_model"
    facts: Mapped[dict[str, Any]]


class ModelKnowing(Row, Table):
    """How likely a base model finds a sample of texts (a `Knowing`). `id` is the hash of model, weights and `sample`, so that
    all projects with the same texts share it; `content` names the dataset version's table."""

    __tablename__ = "model_knowing"
    model_key: Mapped[str]
    content: Mapped[str]
    sample: Mapped[str] = mapped_column(index=True)
    found: Mapped[dict[str, Any]]


class Plan(Row, Table):
    """A preparation plan applied to a dataset version: `content` names the Parquet file of row_id and split."""

    __tablename__ = "plan"
    project_id: Mapped[str] = _of_project()
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id", ondelete="CASCADE"))
    config: Mapped[dict[str, Any]]
    counts: Mapped[dict[str, Any]]
    content: Mapped[str]


class Job(Row, Table):
    """What is wanted (`desired`) and what happened (`state`). `fence` grows at each claim, `beat` at each heartbeat.

    Of the queued ones the highest `priority` comes first, and among equals the lowest `position`.
    """

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_state_position", "state", "priority", "position"),)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="queued")
    desired: Mapped[str] = mapped_column(default="run")
    priority: Mapped[int] = mapped_column(default=0)
    position: Mapped[float] = mapped_column(default=time.time, server_default="0")
    owner: Mapped[str | None]
    fence: Mapped[int] = mapped_column(default=0)
    beat: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    phase: Mapped[str] = mapped_column(default="")
    done: Mapped[float] = mapped_column(default=0.0)
    total: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    heartbeat_at: Mapped[float | None]


class Run(Row, Table):
    """One round of training. `start_run_id` names the run whose model it began with (None: the base model). `recipe` and
    `terms` (what corrective actions ask of it) are frozen; `best` and `summary` are written by the worker."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("project_id", "number"),)
    project_id: Mapped[str] = _of_project()
    job_id: Mapped[str | None]
    number: Mapped[int]
    name: Mapped[str]
    parent_id: Mapped[str | None]
    start_run_id: Mapped[str | None]
    dataset_version_id: Mapped[str] = mapped_column(ForeignKey("dataset_version.id"))
    plan_id: Mapped[str] = mapped_column(ForeignKey("plan.id"))
    base_model_key: Mapped[str]
    task: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    terms: Mapped[list[Any] | None]
    note: Mapped[str] = mapped_column(default="")
    best: Mapped[dict[str, Any] | None]
    summary: Mapped[dict[str, Any] | None]


class Study(Row, Table):
    """Several runs that answer one question. `kind` is sweep (which settings are good) or seeds (how much is luck); `recipe`
    is the one they start from, `config` a `SweepPlan` or the number of seeds; `job_id` drives a sweep."""

    __tablename__ = "study"
    project_id: Mapped[str] = _of_project()
    job_id: Mapped[str | None]
    kind: Mapped[str]
    recipe: Mapped[dict[str, Any]]
    config: Mapped[dict[str, Any]]


class Trial(Row, Table):
    """One run of a study with the settings that it tries. `outcome` is written once it is settled."""

    __tablename__ = "trial"
    __table_args__ = (UniqueConstraint("study_id", "number"),)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    values: Mapped[dict[str, Any]]
    outcome: Mapped[dict[str, Any] | None]


class Metric(Table):
    """Append-only points of the curves."""

    __tablename__ = "metric"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    split: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[float]
    value: Mapped[float | None]
    at: Mapped[float]


class RunEvent(Table):
    """Something worth a line beside the curves."""

    __tablename__ = "run_event"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    step: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[float]


class Checkpoint(Table):
    """A whole checkpoint on disk. `folder` is relative to the run's folder. A pinned one is never removed to save space."""

    __tablename__ = "checkpoint"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str]
    metric: Mapped[float | None]
    at: Mapped[float]
    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())


class Evaluation(Row, Table):
    """Base, tuned and baselines on one split. Each row with split `test` is one opening of the test set."""

    __tablename__ = "evaluation"
    project_id: Mapped[str] = _of_project()
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    split: Mapped[str]
    lineage: Mapped[int]
    reason: Mapped[str] = mapped_column(default="evaluation")
    result: Mapped[dict[str, Any]]


class SampleSet(Row, Table):
    """Answers to judge, with the decoding that made them. An item holds prompt, turns, the text of each contender under its
    key, who stands left and right, and which item it repeats. `config` is what was asked for (a `ReviewSpec`) and which
    prompts were refused."""

    __tablename__ = "sample_set"
    project_id: Mapped[str] = _of_project()
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    decoding: Mapped[dict[str, Any]]
    items: Mapped[list[Any]]
    config: Mapped[dict[str, Any] | None]


class Rater(Row, Table):
    """A person who judges a sample set. `ended_at` is when they chose to see whose answers they were."""

    __tablename__ = "rater"
    __table_args__ = (UniqueConstraint("sample_set_id", "name"),)
    sample_set_id: Mapped[str] = mapped_column(ForeignKey("sample_set.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[float | None]


class Review(Row, Table):
    """One person's judgement of one item. `vote` is the key of the preferred contender, tie, bad, up or down; `left` says
    who was shown left; `scores` are 1 to 5 by contender and rubric; `acted_at` is when they voted or skipped."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("sample_set_id", "item", "rater"),)
    sample_set_id: Mapped[str] = mapped_column(ForeignKey("sample_set.id", ondelete="CASCADE"), index=True)
    item: Mapped[int]
    rater: Mapped[str] = mapped_column(default="")
    left: Mapped[str]
    vote: Mapped[str | None]
    scores: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reasons: Mapped[list[Any] | None]
    note: Mapped[str] = mapped_column(default="")
    corrected: Mapped[str] = mapped_column(default="")
    skipped: Mapped[bool] = mapped_column(default=False, server_default=false())
    acted_at: Mapped[float | None]
    updated_at: Mapped[float] = mapped_column(default=time.time)


class JudgeAnswer(Row, Table):
    """What a language model said to one `question` (the hash of all that it was asked), kept as it came so that it is paid for
    once. `winner` is first, second or tie, None where its answer could not be read."""

    __tablename__ = "judge_answer"
    __table_args__ = (UniqueConstraint("project_id", "question"),)
    project_id: Mapped[str] = _of_project()
    question: Mapped[str]
    winner: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="")


class Judging(Row, Table):
    """What a language model as judge makes of an evaluation's answers; `result` is a `Judgement`."""

    __tablename__ = "judging"
    project_id: Mapped[str] = _of_project()
    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), index=True)
    result: Mapped[dict[str, Any]]


class Audit(Row, Table):
    """Findings about data and model. `action` says which corrective action it checks, if any."""

    __tablename__ = "audit"
    project_id: Mapped[str] = _of_project()
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    config: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]


class Correction(Row, Table):
    """A corrective action from its plan to its verified end: verified, not verified or refused."""

    __tablename__ = "correction"
    project_id: Mapped[str] = _of_project()
    action: Mapped[str]
    config: Mapped[dict[str, Any]]
    audit_before_id: Mapped[str | None]
    run_before_id: Mapped[str | None]
    dataset_version_id: Mapped[str | None]
    run_after_id: Mapped[str | None]
    audit_after_id: Mapped[str | None]
    outcome: Mapped[dict[str, Any] | None]


class FilterVersion(Row, Table):
    """Rules for what a model writes (`FilterRules`), kept for good under a number: the newest one counts. `run_id` None: for
    every round of the project. `red_list` are texts that must be caught, `measured` is a `FilterReport`."""

    __tablename__ = "filter_version"
    __table_args__ = (UniqueConstraint("project_id", "number"),)
    project_id: Mapped[str] = _of_project()
    number: Mapped[int]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    rules: Mapped[dict[str, Any]]
    red_list: Mapped[list[Any]]
    measured: Mapped[dict[str, Any] | None]


class Conversation(Row, Table):
    """What a person asked one or two loaded models, side by side. `models` are the ids that the served job knows them by,
    `settings` a `ChatSettings`, `turns` a list of `Turn`."""

    __tablename__ = "conversation"
    project_id: Mapped[str] = _of_project()
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    models: Mapped[list[Any]]
    settings: Mapped[dict[str, Any]]
    turns: Mapped[list[Any]]
    updated_at: Mapped[float] = mapped_column(default=time.time)


class Export(Row, Table):
    """A model that left, with the proof that it answers as the checkpoint did."""

    __tablename__ = "export"
    project_id: Mapped[str] = _of_project()
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    folder: Mapped[str]
    parity: Mapped[dict[str, Any]]


class Batch(Row, Table):
    """A file whose rows a round predicts. `config` is a `BatchSpec`, `summary` (a `BatchSummary`) is written when the file with
    the new columns is whole; everything else lies in `batches/ID`."""

    __tablename__ = "batch"
    project_id: Mapped[str] = _of_project()
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[str | None]
    config: Mapped[dict[str, Any]]
    summary: Mapped[dict[str, Any] | None]
