"""The model card: what the model is, what it was made from, and every figure with n and interval."""

from __future__ import annotations

from typing import Any

import yaml

from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult
from core.schemas.families import FAMILIES
from core.schemas.models import ModelFacts
from core.schemas.recipe import Recipe
from core.store import records
from core.store.tables import Audit, DatasetVersion, Project, Run
from core.tasks import registry as tasks

from . import output_filters, responsible, terms


def model_card(
    project: Project,
    run: Run,
    version: DatasetVersion,
    base: ModelFacts,
    evaluation: EvaluationResult | None,
    audit: Audit | None,
) -> str:
    """Hugging Face model card (YAML header and Markdown)."""
    task = tasks()[run.task]
    header: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": FAMILIES[task.family].pipeline,
        "tags": ["tunewell", "fine-tuned"],
        "model_name": f"{project.name} ({run.name})",
    }
    if base.licence:
        header |= {"license": "other", "license_name": base.licence.lower().replace(" ", "-")}
    if base.languages:
        header["language"] = list(base.languages)
    summary = run.summary or {}
    lines = [
        f"# {project.name}: {run.name}",
        "",
        f"Fine-tuned with Tunewell from **{base.title}** ({base.parameters:,} parameters) to: {task.title.lower()}.",
        *_beginning(run),
        "",
        "## Purpose",
        "",
        project.goal or "The author has not stated a purpose.",
        "",
        *responsible.card_lines(project),
        "## Data",
        "",
        f"Dataset version {version.number}, {version.rows:,} rows, content hash `{version.content[:16]}`. "
        f"Trained on {summary.get('examples', {}).get('train', 0):,} rows, watched on "
        f"{summary.get('examples', {}).get('validation', 0):,}.",
        "",
        "## Training",
        "",
        f"Best checkpoint: step {summary.get('best_step')} of {summary.get('steps')}, by {summary.get('best_metric')} = "
        f"{summary.get('best_value', float('nan')):.4f} on validation. {summary.get('seconds', 0):,.0f} seconds on "
        f"{summary.get('device', 'unknown')}, {summary.get('train_tokens', 0):,} tokens, {summary.get('precision')}.",
        "",
        "```yaml",
        yaml.safe_dump(Recipe.model_validate(run.recipe).model_dump(), sort_keys=False).strip(),
        "```",
        "",
        *_action_lines(run),
        "## Test",
        "",
        *_test_lines(evaluation),
        "",
        *_reading_lines(task.family),
        "## Bias",
        "",
        *_audit_lines(audit),
        "",
        *_filter_lines(run),
        "## Limits",
        "",
        "Measured on rows like those of its dataset; what it does on other texts was not tested. "
        f"The licence of the base model ({base.licence or 'not stated'}) and of the data apply.",
        "",
        "Versions: "
        + ", ".join(f"{k} {v}" for k, v in summary.get("versions", {}).items())
        + f". Seed {run.recipe['seed']}.",
        "",
    ]
    return "---\n" + yaml.safe_dump(header, sort_keys=False, allow_unicode=True) + "---\n\n" + "\n".join(lines)


def _beginning(run: Run) -> list[str]:
    """Where the training did not begin with the base model: which run's model it went on from."""
    begun = records.get(Run, run.start_run_id) if run.start_run_id else None
    if begun is None:
        return []
    title = tasks()[begun.task].title.lower()
    return [
        "",
        f"It goes on from round {begun.number} ({begun.name}), which was trained to: {title}. The figures called base "
        "below are of that model.",
    ]


def _figure(estimate: Estimate | None, form: str) -> str:
    if estimate is None:
        return "–"
    scale, unit = (100, "%") if form == "percent" else (1, "")
    value = f"{estimate.value * scale:.3g}{unit}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({estimate.low * scale:.3g} to {estimate.high * scale:.3g})"


def _action_lines(run: Run) -> list[str]:
    """Corrective actions against bias that took part in the training."""
    found = terms.titles(run.terms)
    return [f"Corrective actions in the training: {', '.join(found)}.", ""] if found else []


def _test_lines(found: EvaluationResult | None) -> list[str]:
    if found is None:
        return ["Not evaluated on a test set."]
    contenders = [c for c in ("tuned", "base", "majority", "mean", "tfidf", "nearest", "longer") if c in found.contents]
    lines = [" ".join(found.sentences), ""] + ([found.honest.sentence, ""] if found.honest else [])
    lines += [f"{found.n} locked test rows; 95% intervals in brackets.", ""]
    lines += ["| metric | " + " | ".join(contenders) + " |", "|---" * (len(contenders) + 1) + "|"]
    for row in found.metrics:
        lines.append(
            f"| {row.title} | " + " | ".join(_figure(row.values.get(c), row.format) for c in contenders) + " |"
        )
    return lines


def _reading_lines(family: str) -> list[str]:
    """How to read what the model gives out, where that is no plain answer."""
    if family == "multi-label":
        return [
            "## Reading its answers",
            "",
            "A label is given where the sigmoid of its figure is at least its threshold; `labels.json` names the labels and "
            "`thresholds.json` their thresholds, in the same order.",
            "",
        ]
    if family == "regression":
        return [
            "## Reading its answers",
            "",
            "The head gives a standardised number; times `std` plus `mean` of `target.json` it is in the units of the data.",
            "",
        ]
    return []


def _audit_lines(audit: Audit | None) -> list[str]:
    if audit is None:
        return ["Not audited. Nothing is known about how it treats different groups of people."]
    findings = [f for part in audit.result.get("audits", {}).values() for f in part.get("findings", [])]
    if not findings:
        return ["Audited; no findings. This is no certificate: only what is listed in the audit was tested."]
    return [f"- {f['title']}" for f in findings]


def _filter_lines(run: Run) -> list[str]:
    """What guards the answers beside the weights; nothing where there is no filter."""
    version = output_filters.current(run) if output_filters.fits(run) else None
    if version is None:
        return []
    rules, report = output_filters.rules_of(version), output_filters.report_of(version)
    named = [f"{rule.name} ({rule.action})" for rule in rules.rules]
    named += [f"{kind} ({rules.personal_action})" for kind in rules.personal]
    lines = [
        "## Output filter",
        "",
        f"Answers given by `answer.py` pass a filter of rules (version {version.number}): {', '.join(named)}. It is no part of "
        "the weights: whoever loads them in another way gets unfiltered answers.",
        "",
    ]
    figures = [
        ("caught of the texts that must be caught", report.recall if report else None),
        ("changed of the data's own answers", report.clean if report else None),
        ("changed of the model's samples", report.samples if report else None),
    ]
    known = [f"- {what}: {_figure(e, 'percent')}, n = {e.n:,}" for what, e in figures if e is not None]
    return [*lines, *known, *([""] if known else [])]
