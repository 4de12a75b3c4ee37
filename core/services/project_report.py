"""The project report: one HTML file for whoever has to decide about a model, and for whoever has to check it.

The first page is in plain words. Each figure links to its source in the appendix: row, file and the command that prints it again.
"""

from __future__ import annotations

import platform
import time
from typing import Any

from core.data.licences import explain
from core.store.tables import Audit, Evaluation, Project, Run
from core.tasks import registry as tasks

from . import audits, datasets, evaluations, licence_notes, preparation, projects, reviews
from . import project_report_found as found
from . import project_report_made as made
from .cards import gone
from .project_report_summary import summary
from .report_sources import Sources
from .report_templates import filled


def report_html(run: Run) -> str:
    """The report of the run's project with this round in full and the others as its lineage."""
    return filled("project.html", context(run))


def filename(run: Run) -> str:
    return f"report-round-{run.number}.html"


def missing(run: Run) -> list[tuple[str, str]]:
    """What the report of this round will say was not done, each with the step where it is done (its key)."""
    project = projects.get(run.project_id)
    version = datasets.get_version(run.dataset_version_id)
    gaps = []
    if not project.goal.strip():
        gaps.append(("What the model is for", "dataset"))
    if version.health is None:
        gaps.append(("A health report of the data", "dataset"))
    if not evaluations.of_run(run.id, "test"):
        gaps.append(("An evaluation on test rows", "evaluation"))
    if not any(reviews.reviews(each, name) for each in reviews.sets(run) for name in reviews.raters(each)):
        gaps.append(("Answers judged by people", "samples"))
    if not audits.of_run(run.id):
        gaps.append(("A bias audit", "bias"))
    if made.export_rows(run, Sources()) == []:
        gaps.append(("An export with its proof", "use"))
    return gaps


def newest(run: Run) -> tuple[Evaluation | None, Audit | None]:
    """The newest evaluation on test rows and the newest audit."""
    tested, audited = evaluations.of_run(run.id, "test"), audits.of_run(run.id)
    return (tested[0] if tested else None), (audited[0] if audited else None)


def context(run: Run) -> dict[str, Any]:
    """Everything that the template shows. The order of the parts below is the order in which sources get their numbers."""
    cite = Sources()
    project: Project = projects.get(run.project_id)
    version, plan = datasets.get_version(run.dataset_version_id), preparation.get_plan(run.plan_id)
    base = licence_notes.base(run) or gone(run.base_model_key)
    evaluation, audit = newest(run)
    parts: dict[str, Any] = {
        "project": project,
        "run": run,
        "task": tasks()[run.task].title,
        "made": time.strftime("%d %B %Y, %H:%M UTC", time.gmtime()),
        "summary": summary(project, run, evaluation, audit, cite),
        "data": made.data(project, run, version, plan, cite),
        "health": made.health_found(version, cite),
        "model": made.model(run, base, explain(base.licence), cite),
        "recipe": made.recipe(run, cite),
        "curves": made.curves(run, cite),
        "test": found.test(run, evaluation, cite),
        "reviews": found.judged(run, cite),
        "bias": found.bias(run, audit, cite),
        "actions": found.actions(run),
        "filter": found.output_filter(run, cite),
        "rounds": made.round_rows(project, run, cite),
        "exports": made.export_rows(run, cite),
        "licences": licence_notes.in_short(run),
        "spent": made.spent(project, run, cite),
        "versions": made.versions(run, version, plan, platform.python_version(), cite),
    }
    return parts | {"sources": cite.listed()}
