"""Where the figures of a report come from: each figure carries the number of its source, and the appendix lists the sources."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from core.schemas.estimates import Estimate
from core.store.files import table_path
from core.store.tables import (
    Audit,
    BaseModel,
    DatasetVersion,
    Evaluation,
    Export,
    FilterVersion,
    Plan,
    Project,
    Run,
    SampleSet,
)

from .audit_report import told

FIGURE = Markup('<span class="figure">{}</span>{}')
LINK = Markup('<a class="source" href="#source-{}" title="{}">{}</a>')


@dataclass(frozen=True)
class Source:
    """`place` is where it is kept, below the storage folder; `command` prints it again."""

    title: str
    place: str
    command: str = ""


@dataclass
class Sources:
    """Numbers the sources in the order in which a report first names them."""

    found: dict[Source, int] = field(default_factory=dict)

    def number(self, source: Source) -> int:
        return self.found.setdefault(source, len(self.found) + 1)

    def link(self, source: Source) -> Markup:
        number = self.number(source)
        return LINK.format(number, source.title, number)

    def text(self, text: object, source: Source) -> Markup:
        """A plain count, size, time or name with its source."""
        return FIGURE.format(text, self.link(source))

    def count(self, value: float, source: Source) -> Markup:
        return self.text(f"{value:,.0f}", source)

    def estimate(self, value: Estimate | None, unit: str, source: Source, signed: bool = False) -> Markup:
        """A measured figure with interval, n and source; a dash where there is none."""
        if value is None:
            return Markup("–")
        return Markup(told(value, unit, signed=signed).__html__()) + self.link(source)

    def listed(self) -> list[tuple[int, Source]]:
        return [(number, source) for source, number in self.found.items()]


def of_project(project: Project) -> Source:
    return Source("What the person stated", f"database, table project, row {project.id}")


def of_run(run: Run) -> Source:
    return Source(
        f"Round {run.number}, {run.name}",
        f"database, table run, row {run.id}; runs/{run.id}/; log logs/{run.job_id}.log",
        f"python -m core rounds {run.project_id} --json",
    )


def of_curves(run: Run) -> Source:
    return Source(
        f"Curves of round {run.number}",
        f"database, table metric, run {run.id}",
        f"python -m core rounds {run.project_id} --json",
    )


def of_version(version: DatasetVersion) -> Source:
    return Source(
        f"Dataset version {version.number}",
        f"{_table(version.content)}; database, table dataset_version, row {version.id}",
    )


def of_plan(plan: Plan) -> Source:
    return Source("The split", f"{_table(plan.content)}; database, table plan, row {plan.id}")


def of_evaluation(evaluation: Evaluation, number: int) -> Source:
    split = "" if evaluation.split == "test" else f" --split {evaluation.split}"
    return Source(
        f"Evaluation of round {number} on {evaluation.split} rows",
        f"database, table evaluation, row {evaluation.id}",
        f"python -m core evaluation {evaluation.run_id}{split} --json",
    )


def of_audit(audit: Audit, number: int) -> Source:
    return Source(
        f"Bias audit of round {number}",
        f"database, table audit, row {audit.id}",
        f"python -m core audit {audit.run_id} --json",
    )


def of_review(sample_set: SampleSet) -> Source:
    return Source("Review by people", f"database, tables sample_set and review, set {sample_set.id}")


def of_export(export: Export) -> Source:
    return Source(f"Export ({export.kind})", f"exports/{export.id}/; database, table export, row {export.id}")


def of_filter(version: FilterVersion) -> Source:
    return Source(f"Output filter, version {version.number}", f"database, table filter_version, row {version.id}")


def of_model(key: str, title: str, revision: str) -> Source:
    kept = "assets/models/tunewell-starter" if key == "starter" else f"database, table {BaseModel.__tablename__}"
    pinned = f"; revision {revision}" if revision else ""
    return Source(f"Base model {title}", f"{kept}{pinned}", "python -m core models --json")


def of_jobs(project: Project) -> Source:
    return Source("Jobs of the project", f"database, table job, project {project.id}", "python -m core status --json")


def _table(content: str) -> str:
    return f"tables/{table_path(content).name}"
