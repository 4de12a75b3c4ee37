"""The metadata at the top of a model card, as the Hugging Face hub reads it. What is not known is left out, never guessed.

https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from core.data.licences import KNOWN, explain
from core.schemas.evaluation import EvaluationResult, MetricRow
from core.schemas.families import FAMILIES
from core.schemas.models import ModelFacts
from core.store.tables import DatasetVersion, Project, Run
from core.tasks import registry as tasks

from . import data_sources, dataset_cards, health, licence_notes

# What the hub calls our metrics where it knows them (https://huggingface.co/evaluate-metric); others keep their own name.
HUB_METRICS = {
    "macro_f1": "f1",
    "micro_f1": "f1",
    "rouge_l": "rouge",
    "spearman": "spearmanr",
    "r2": "r_squared",
}
HUB_KEY = re.compile(r"^hub:(?P<name>[^@]+)@")
OPEN_LICENCE = {"license": "other", "license_name": "see-licence-notes", "license_link": licence_notes.FILENAME}


def header(
    project: Project,
    run: Run,
    version: DatasetVersion,
    base: ModelFacts,
    evaluation: EvaluationResult | None,
    kind: str = "merged",
) -> ModelCardData:
    """`kind` is what is exported: an adapter names peft as its library and needs its base model. The names are the hub's own."""
    adapter = kind == "adapter"
    library = "peft" if adapter else "gguf" if kind.startswith("gguf") else "onnx" if kind == "onnx" else "transformers"
    task = tasks()[run.task]
    known: dict[str, Any] = {
        "library_name": library,
        "pipeline_tag": FAMILIES[task.family].pipeline,
        "tags": ["tunewell", "fine-tuned", f"task-{run.task}", str(run.recipe.get("method", "full"))],
        "model_name": one_line(f"{project.name} ({run.name})"),
        **licence(project, run, base),
    }
    if name := hub_name(base):
        known |= {
            "base_model": name,
            "base_model_relation": "adapter" if adapter else "quantized" if kind == "gguf-q8_0" else "finetune",
        }
    if found := languages(project, version, base):
        known["language"] = found
    if names := hub_datasets(data_sources.versions_learned(run)):
        known["datasets"] = names
    if evaluation is not None and (results := eval_results(project, run, version, evaluation)):
        known |= {"eval_results": results, "metrics": list(dict.fromkeys(r.metric_type for r in results))}
    return ModelCardData(**known)


def hub_name(base: ModelFacts) -> str:
    """The base model as the hub knows it; "" for the starter and for folders, which it does not know."""
    found = HUB_KEY.match(base.key)
    return found["name"] if found else ""


def licence(project: Project, run: Run, base: ModelFacts) -> dict[str, str]:
    """The base model's licence where nothing stands beside it; else "other", with the notes that say what is known."""
    if not base.licence.strip():
        return {"license": "unknown"}
    stated = licence_notes.data_licence(project)
    data = explain(stated)
    free = bool(stated) and stated != "other" and data.known and data.commercial is True and not data.share_alike
    name = base.licence.strip().lower()
    return {"license": name} if name in KNOWN and free else dict(OPEN_LICENCE)


def languages(project: Project, version: DatasetVersion, base: ModelFacts) -> list[str]:
    """Codes of the languages of the data: as the person stated them, else as found, else those of the base model."""
    stated = [code.strip().lower() for code in dataset_cards.notes(project).languages.split(",") if code.strip()]
    report = health.of(version)
    found = [report.language] if report and report.language else []
    return stated or found or list(base.languages)


def hub_datasets(versions: Sequence[DatasetVersion]) -> list[str]:
    names = dict.fromkeys(s.dataset for v in versions for s in data_sources.sources(v) if s.dataset)
    return list(names)


def eval_results(project: Project, run: Run, version: DatasetVersion, found: EvaluationResult) -> list[EvalResult]:
    """The tuned model's figures with n and interval; figures that are not finite are left out."""
    task = tasks()[run.task]
    sources = data_sources.sources(version)
    one_of_the_hub = sources and sources[0].dataset and len({s.dataset for s in sources}) == 1
    single = sources[0] if one_of_the_hub else None  # with other rows among them the figures are not that dataset's
    shared: dict[str, Any] = {
        "task_type": FAMILIES[task.family].pipeline,
        "task_name": task.title,
        "dataset_type": single.dataset if single else slug(project.name),
        "dataset_name": one_line(f"{project.name}, version {version.number}, {found.split} rows"),
        "dataset_split": found.split,
        "dataset_args": {"content_sha256": version.content, "rows": found.n},
    }
    if single:
        shared["dataset_revision"] = single.commit
    return [
        EvalResult(
            metric_type=HUB_METRICS.get(row.key, row.key),
            metric_name=row.title,
            metric_value=row.values["tuned"].value,
            metric_args=_arguments(row),
            **shared,
        )
        for row in found.metrics
        if "tuned" in row.values and math.isfinite(row.values["tuned"].value)
    ]


def _arguments(row: MetricRow) -> dict[str, Any]:
    """How the figure came about, beside its value: n, and the 95% interval where there is one."""
    estimate = row.values["tuned"]
    known: dict[str, Any] = {"n": estimate.n}
    if estimate.low is not None and estimate.high is not None and math.isfinite(estimate.low + estimate.high):
        known |= {"low": estimate.low, "high": estimate.high, "interval": f"95%, {estimate.method}".rstrip(", ")}
    if row.key in ("macro_f1", "micro_f1"):
        known["average"] = row.key.removesuffix("_f1")
    return known


def slug(text: str) -> str:
    """A name as an identifier: small ASCII letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "private-data"


def one_line(text: str) -> str:
    """Without line breaks and control characters, which do not belong into a name."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
