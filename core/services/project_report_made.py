"""Parts of the project report on how the model was made: data, base model, recipe, curves, rounds, exports, time, versions."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from core.data.in_words import setting_title
from core.data.licences import Licence
from core.schemas.curves import CURVES, curve_of
from core.schemas.families import FAMILIES
from core.schemas.findings import Severity
from core.schemas.models import ModelFacts
from core.schemas.recipe import Recipe
from core.store import records
from core.store.tables import DatasetVersion, Export, Plan, Project, Run
from core.tasks import registry as tasks

from . import (
    data_sources,
    dataset_cards,
    datasets,
    health,
    hub_push,
    models,
    recipes,
    report_sources,
    resources,
    responsible,
    rounds,
    rows,
    runs,
    terms,
)
from .audit_report import SEVERITIES
from .report_curves import lines
from .report_sources import Sources
from .round_changes import matters

LABELS_SHOWN = 30
POINTS = 300


def data(project: Project, run: Run, version: DatasetVersion, plan: Plan, cite: Sources) -> dict[str, Any]:
    source, split = report_sources.of_version(version), report_sources.of_plan(plan)
    stated = report_sources.of_project(project)
    counts = rows.label_counts(version)
    total = sum(counts.values())
    learned = []
    for each in data_sources.versions_learned(run):
        files = [
            f"{s.name} (hub: {s.dataset} at {s.commit})" if s.dataset else s.name for s in data_sources.sources(each)
        ]
        learned.append((each.number, files, cite.count(each.rows, report_sources.of_version(each))))
    notes = dataset_cards.notes(project)
    return {
        "number": version.number,
        "rows": cite.count(version.rows, source),
        "columns": [(column, role) for role, column in version.roles.items() if column],
        "parts": [(part, cite.count(plan.counts.get(part, 0), split)) for part in ("train", "validation", "test")],
        "labels": [(name, cite.count(n, source), n / total) for name, n in counts.most_common(LABELS_SHOWN)],
        "labels_left": max(0, len(counts) - LABELS_SHOWN),
        "learned": learned,
        "source": notes.source,
        "licence": dataset_cards.LICENCES.get(notes.licence, notes.licence),
        "answers": responsible.told(project),
        "cite": cite.link(stated),
    }


def health_found(version: DatasetVersion, cite: Sources) -> dict[str, Any] | None:
    """What the checks found, worst first; None where they did not run."""
    report = health.of(version)
    if report is None:
        return None
    source = report_sources.of_version(version)
    return {
        "findings": [
            {
                "word": SEVERITIES[f.severity],
                "title": f.title,
                "meaning": f.meaning,
                "figure": cite.estimate(f.estimate, "share", source) if f.estimate else "",
            }
            for f in report.findings
            if f.severity is not Severity.GOOD
        ],
        "good": sum(f.severity is Severity.GOOD for f in report.findings),
        "rows": cite.count(report.rows, source),
    }


def model(run: Run, base: ModelFacts, licence: Licence, cite: Sources) -> dict[str, Any]:
    source = report_sources.of_model(_plain_key(base), base.title, base.revision)
    begun = runs.get(run.start_run_id) if run.start_run_id else None
    figures = [("Parameters", base.parameters), ("Layers", base.layers), ("Longest text, tokens", base.context_length)]
    return {
        "title": base.title,
        "where": {"hub": "from the Hugging Face hub", "starter": "ships with Tunewell"}.get(
            base.source, "a folder of the machine"
        ),
        "revision": base.revision,
        "facts": [(name, cite.count(value, source)) for name, value in figures if value],
        "languages": ", ".join(base.languages) or "not stated",
        "licence": licence,
        "begun": begun.number if begun else None,
    }


def _plain_key(base: ModelFacts) -> str:
    return models.STARTER_KEY if base.source == "starter" else "other"


def recipe(run: Run, cite: Sources) -> dict[str, Any]:
    """The settings that had an effect, by their titles."""
    source = report_sources.of_run(run)
    plain = Recipe.model_validate(run.recipe).model_dump(mode="json")
    idle = recipes.unused(run.task, datasets.get_version(run.dataset_version_id).roles)
    told = [(name, value) for name, value in plain.items() if name not in idle and matters(name, plain)]
    return {
        "settings": [(setting_title(Recipe, name), cite.text(_said(value), source)) for name, value in told],
        "actions": terms.titles(run.terms),
    }


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def curves(run: Run, cite: Sources) -> list[dict[str, Any]]:
    """The loss and the figure by which the checkpoint was chosen, training beside validation."""
    summary = run.summary or {}
    names = dict.fromkeys(("loss", curve_of(str(summary.get("best_metric", "eval_loss"))), *_family_figures(run)))
    drawn = []
    for name in names:
        parts = {
            part: [(float(b.step), b.mean) for b in runs.curve(run.id, name, part, POINTS)]
            for part in ("train", "validation")
        }
        picture = lines(parts, f"{CURVES[name].title} ({CURVES[name].unit})", summary.get("best_step"))
        if picture:
            drawn.append(
                {
                    "title": CURVES[name].title,
                    "drawing": Markup(picture),
                    "cite": cite.link(report_sources.of_curves(run)),
                }
            )
    return drawn


def _family_figures(run: Run) -> list[str]:
    return [name for name in FAMILIES[tasks()[run.task].family].figures if name in CURVES][:1]


# -- rounds, exports, time ---------------------------------------------------------------------------------------------


def round_rows(project: Project, run: Run, cite: Sources) -> list[dict[str, Any]]:
    """All rounds of the project but the tries of studies, oldest first."""
    found = []
    for one in rounds.shown(rounds.of_project(project), tries=False):
        judged = one.test or one.validation
        figure: Markup | str = "not measured"
        if judged is not None:
            place = report_sources.Source(
                f"Evaluation of round {one.number} on {judged.split} rows",
                f"database, table evaluation, row {judged.evaluation_id}",
                f"python -m core evaluation {one.run.id}"
                + ("" if judged.split == "test" else f" --split {judged.split}")
                + " --json",
            )
            unit = "share" if judged.row.format == "percent" else ""
            figure = Markup("{}: {}").format(
                f"{judged.row.title}, {judged.split}", cite.estimate(judged.score, unit, place)
            )
        found.append(
            {
                "number": one.number,
                "name": one.run.name,
                "this": one.run.id == run.id,
                "parent": one.parent,
                "against": one.against,
                "state": one.ended or one.state.value,
                "changes": [change.text for change in one.changes],
                "correction": one.correction,
                "figure": figure,
                "verdict": one.verdict.value if one.verdict else "",
            }
        )
    return found


def export_rows(run: Run, cite: Sources) -> list[dict[str, Any]]:
    """Each export with its proof, and where it was pushed to."""
    found = []
    for export in records.find(Export, run_id=run.id):
        parity, source = export.parity, report_sources.of_export(export)
        same, n = parity.get("same_answer"), parity.get("n")
        proof: Markup | str = "no proof was kept"
        if isinstance(same, int) and isinstance(n, int):
            proof = Markup("{} of {} kept prompts got the same answer from the loaded file").format(
                cite.count(same, source), cite.count(n, source)
            )
        pushes = [job.result for job in hub_push.pushed(export.id) if job.result]
        found.append(
            {"kind": export.kind, "proof": proof, "pushes": [(p["repo"], str(p["commit"])[:12]) for p in pushes]}
        )
    return found


def spent(project: Project, run: Run, cite: Sources) -> dict[str, Any]:
    source, seconds = report_sources.of_run(run), resources.training_seconds(run)
    summary = run.summary or {}
    memory = summary.get("peak_memory")
    total = resources.of_project(project.id)
    jobs = report_sources.of_jobs(project)
    return {
        "training": cite.text(resources.in_words(seconds), source) if seconds is not None else "not recorded",
        "device": str(summary.get("device", "not recorded")),
        "memory": cite.text(f"{memory / 2**30:.2f} GB", source) if memory else "not recorded",
        "tokens": cite.count(summary["train_tokens"], source) if summary.get("train_tokens") else "not recorded",
        "rows": [(s.title, cite.count(s.jobs, jobs), cite.text(resources.in_words(s.seconds), jobs)) for s in total],
        "energy": resources.NOT_MEASURED,
    }


def versions(run: Run, version: DatasetVersion, plan: Plan, python: str, cite: Sources) -> list[tuple[str, Any]]:
    source = report_sources.of_run(run)
    summary = run.summary or {}
    libraries = ", ".join(f"{name} {number}" for name, number in (summary.get("versions") or {}).items())
    threads = (summary.get("details") or {}).get("threads")
    return [
        ("Round", cite.text(f"{run.number}, {run.name} ({run.id})", source)),
        ("Seed", cite.text(run.recipe.get("seed", "not recorded"), source)),
        ("Libraries of the training", cite.text(libraries or "not recorded", source)),
        ("Python that made this report", python),
        (
            "Precision and threads",
            cite.text(f"{summary.get('precision', 'not recorded')}, {threads or 'unknown'} threads", source),
        ),
        ("Rows (SHA-256)", cite.text(version.content, report_sources.of_version(version))),
        ("Split (SHA-256)", cite.text(plan.content, report_sources.of_plan(plan))),
    ]
