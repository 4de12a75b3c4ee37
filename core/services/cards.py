"""The model card: what the model is and is for, what it was made from, and every figure with n and interval.

In the format of the Hugging Face hub: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import yaml
from huggingface_hub import ModelCard

from core.schemas.evaluation import EvaluationResult
from core.schemas.findings import Severity
from core.schemas.models import ModelFacts
from core.schemas.recipe import Recipe
from core.store import records
from core.store.tables import Audit, DatasetVersion, Project, Run
from core.tasks import registry as tasks

from . import (
    card_found,
    card_header,
    data_sources,
    datasets,
    evaluations,
    export_snippets,
    health,
    licence_notes,
    preparation,
    projects,
    resources,
    responsible,
    terms,
)
from .dataset_cards import line

OUT_OF_SCOPE = (
    "Decisions about people that nobody checks, such as those on work, money, housing, health, education or law.",
    "Texts of another kind, language or time than those of its data: how it does on them was not tested.",
)


def of_run(run: Run, kind: str = "merged") -> str:
    """The card of a round as it stands now: with its newest evaluation on test rows and its newest audit."""
    evaluated = evaluations.of_run(run.id, "test")
    audits = records.find(Audit, run_id=run.id, limit=1)
    return model_card(
        projects.get(run.project_id),
        run,
        datasets.get_version(run.dataset_version_id),
        licence_notes.base(run) or gone(run.base_model_key),
        evaluations.result(evaluated[0]) if evaluated else None,
        audits[0] if audits else None,
        kind,
    )


def gone(key: str) -> ModelFacts:
    """What is left to say of a base model that is no longer on this machine: its name, without the folder it lay in."""
    return ModelFacts(key=key, title=PurePath(key.partition(":")[2] or key).name, source="folder", folder="")


def model_card(
    project: Project,
    run: Run,
    version: DatasetVersion,
    base: ModelFacts,
    evaluation: EvaluationResult | None,
    audit: Audit | None,
    kind: str = "merged",
) -> str:
    """Hugging Face model card (YAML header and Markdown) of an export of this kind."""
    task = tasks()[run.task]
    lines = [
        f"# {line(project.name)}: {line(run.name)}",
        "",
        f"Fine-tuned with Tunewell from **{line(base.title)}**{_size(base)} to: {task.title.lower()}."
        + (" This is an adapter: it needs its base model beside it." if kind == "adapter" else ""),
        *_beginning(run),
        "",
        *_use_lines(project),
        *responsible.card_lines(project, without=("purpose", "misuse")),
        "## Data",
        "",
        *_data_lines(run, version),
        "## Training",
        "",
        *_training_lines(run, base),
        "## Test",
        "",
        *card_found.test_lines(run, evaluation),
        "",
        *card_found.class_lines(evaluation),
        *_reading_lines(task.family),
        *card_found.review_lines(run),
        "## Bias",
        "",
        *card_found.audit_lines(audit),
        "",
        *card_found.filter_lines(run),
        "## How to use it",
        "",
        *_how_lines(run, kind),
        "## Limits and what was not tested",
        "",
        "- Measured on rows like those of its dataset; what it does on other texts was not tested.",
        "- Small differences can be there without being seen: read the intervals, not only the figures.",
        "- Attempts to make it misbehave (jailbreaks, prompt injection) and leaks of training texts were not tested.",
        *(["- It was not evaluated on a test set."] if evaluation is None else []),
        *(["- It was not audited for bias."] if audit is None else []),
        *(f"- {line(each)}" for each in card_found.not_tested(audit)),
        "",
        "## Licence",
        "",
        *(f"- {each}" for each in licence_notes.in_short(run)),
        "",
        f"More in `{licence_notes.FILENAME}`.",
        "",
        "## How it was made",
        "",
        *_made_lines(run, version),
    ]
    data = card_header.header(project, run, version, base, evaluation, kind)
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n" + "\n".join(lines)))


def _beginning(run: Run) -> list[str]:
    """Where the training did not begin with the base model: which run's model it went on from."""
    begun = records.get(Run, run.start_run_id) if run.start_run_id else None
    if begun is None:
        return []
    title = tasks()[begun.task].title.lower()
    return [
        "",
        f"It goes on from round {begun.number} ({line(begun.name)}), which was trained to: {title}. The figures called base "
        "below are of that model.",
    ]


def _use_lines(project: Project) -> list[str]:
    given = responsible.answers(project)
    lines = ["## Intended use", "", line(project.goal) or "The author has not stated a purpose.", ""]
    if given.purpose.strip():
        lines += [line(given.purpose), ""]
    lines += ["## Out-of-scope use", ""]
    lines.append(
        f"- {line(given.misuse)}" if given.misuse.strip() else "- The author has not said for what it must not be used."
    )
    return [*lines, *(f"- {each}" for each in OUT_OF_SCOPE), ""]


# -- data and training -------------------------------------------------------------------------------------------------


def _data_lines(run: Run, version: DatasetVersion) -> list[str]:
    examples = (run.summary or {}).get("examples", {})
    counts = preparation.get_plan(run.plan_id).counts
    lines = [
        f"Dataset version {version.number}, {version.rows:,} rows, content hash `{version.content[:16]}`. "
        f"Trained on {examples.get('train', 0):,} rows, watched on {examples.get('validation', 0):,}, "
        f"{counts.get('test', 0):,} locked away for the test.",
        "",
    ]
    for each in data_sources.versions_learned(run):
        found = data_sources.sources(each)
        named = ", ".join(f"`{line(s.name)}`" + (f" of the hub's `{s.dataset}`" if s.dataset else "") for s in found)
        lines.append(f"- Version {each.number} comes from {named or 'a source that was not recorded'}.")
    report = health.of(version)
    if report is None:
        return [*lines, "", "Its health was not checked.", ""]
    serious = [f for f in report.findings if f.severity in (Severity.ERROR, Severity.WARNING)]
    lines += ["", "What the checks of the data found:" if serious else "The checks of the data found no problem.", ""]
    for finding in serious:
        n = f" (n = {finding.estimate.n:,})" if finding.estimate else ""
        lines.append(f"- {line(finding.title)}{n}")
    return [*lines, ""] if serious else lines


def _training_lines(run: Run, base: ModelFacts) -> list[str]:
    summary = run.summary or {}
    value = summary.get("best_value")
    best = f"{value:.4f}" if isinstance(value, int | float) else "not recorded"
    lines = [
        f"Best checkpoint: step {summary.get('best_step')} of {summary.get('steps')}, by {summary.get('best_metric')} = "
        f"{best} on {summary.get('examples', {}).get('validation', 0):,} validation rows. "
        f"{summary.get('train_tokens', 0):,} tokens, {summary.get('precision')}.",
        "",
        f"Base model: {line(base.title)}, {_revision(base)}.",
        "",
        "```yaml",
        yaml.safe_dump(Recipe.model_validate(run.recipe).model_dump(mode="json"), sort_keys=False).strip(),
        "```",
        "",
    ]
    if found := terms.titles(run.terms):
        lines += [f"Corrective actions in the training: {', '.join(found)}.", ""]
    return [*lines, *card_found.correction_lines(run), *_spent_lines(run)]


def _revision(base: ModelFacts) -> str:
    return f"revision `{base.revision}`" if base.revision else "no revision known"


def _spent_lines(run: Run) -> list[str]:
    """Time of the training, memory, and energy, which is only ever said where it was measured."""
    summary = run.summary or {}
    seconds = resources.training_seconds(run)
    took = resources.in_words(seconds) if seconds is not None else "a time that was not recorded"
    memory = summary.get("peak_memory")
    most = f", at most {memory / 2**30:.1f} GB of memory" if memory else ""
    return [
        f"It took {took} on {line(summary.get('device', 'a device that was not recorded'))}{most}. {resources.NOT_MEASURED}",
        "",
    ]


def _made_lines(run: Run, version: DatasetVersion) -> list[str]:
    summary = run.summary or {}
    libraries: Mapping[str, Any] = summary.get("versions", {})
    plan = preparation.get_plan(run.plan_id)
    return [
        f"- Versions: {', '.join(f'{k} {v}' for k, v in libraries.items()) or 'not recorded'}; card made with Python "
        f"{platform.python_version()}",
        f"- Seed: {run.recipe.get('seed', 'not recorded')}",
        f"- Data: `{version.content}`, split: `{plan.content}`",
        f"- Round: {run.number}, `{run.id}`",
        "",
    ]


# -- use ---------------------------------------------------------------------------------------------------------------


def _size(base: ModelFacts) -> str:
    return f" ({base.parameters:,} parameters)" if base.parameters else ""


def _how_lines(run: Run, kind: str) -> list[str]:
    """Programs that ask what is beside the card; the tests run them as they stand."""
    lines = ["In the folder that this card lies in:", ""]
    for snippet in export_snippets.of(run, kind, folder="."):
        lines += [f"{snippet.title}:", "", f"```{snippet.language}", snippet.text.rstrip(), "```", ""]
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
