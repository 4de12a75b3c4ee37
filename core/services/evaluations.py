"""Evaluations: ask for one, build its result from predictions, read it. Every opening of the test set is a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic import ValidationError

from core.data import baselines, preference_margins, preference_verdict, verdicts
from core.metrics import for_family
from core.metrics import registry as metrics
from core.metrics._base import Metric
from core.metrics._compare import compare
from core.metrics._examples import broken, fixed
from core.metrics._per_class import all_labels, confusion, per_class
from core.schemas.errors import UserError
from core.schemas.estimates import Verdict
from core.schemas.evaluation import EvaluationResult, MetricRow
from core.schemas.evaluation_settings import WritingSettings
from core.schemas.examples import Example
from core.schemas.jobs import JobKind
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.predictions import ClassPredictions, Predictions, TextPredictions
from core.schemas.predictor import Decoding
from core.store import jobs, records
from core.store.files import keep_table
from core.store.tables import Evaluation, Project, Run
from core.tasks import registry as tasks
from core.tasks._base import TaskType

from . import analyses, datasets, preparation, runs
from .evaluation_rows import label_examples
from .honest import Repeated, describe, without

REASON, REASON_LENGTH = "evaluation", 200
WRITING = "writing"  # under which a project keeps how answers are written


def submit(
    run: Run,
    split: str = "test",
    generate: int | None = None,
    decoding: Decoding | None = None,
    reason: str = REASON,
    plan_id: str | None = None,
) -> str:
    """Queue an evaluation of a finished run. Opening the test set is counted when it is done, with its `reason`.

    How many answers are written, and how, is what the project last chose unless it is given. `plan_id` names the plan whose
    test rows are meant where they are not those of the run: a test set that was added later. A cancelled evaluation shows
    nothing of what it read, so it leaves no result and is no opening. Returns the job id.
    """
    if not run.summary:
        raise UserError(
            "There is no model to evaluate yet.", "The training is not finished.", "Wait for it, or resume it."
        )
    chosen = writing_settings(records.get(Project, run.project_id))
    payload = {
        "run_id": run.id,
        "split": split,
        "generate": chosen.answers if generate is None else generate,
        "decoding": (decoding or chosen.decoding).model_dump(),
        "reason": " ".join(reason.split())[:REASON_LENGTH],
    }
    return jobs.submit(JobKind.EVALUATE, run.project_id, payload | ({"plan_id": plan_id} if plan_id else {}))


def inputs(run: Run, payload: Mapping[str, Any]) -> runs.Inputs:
    """What the evaluation of this job's payload works on: the run's own, with the test rows of another plan if it names one."""
    given = runs.inputs(run)
    if not payload.get("plan_id"):
        return given
    other = preparation.parts(preparation.get_plan(str(payload["plan_id"])), run.task)
    return replace(given, parts={**given.parts, "test": other["test"]})


def writing_settings(project: Project | None) -> WritingSettings:
    """What was chosen last, or the defaults where nothing was or it no longer fits."""
    try:
        return WritingSettings.model_validate((project.settings if project else {}).get(WRITING, {}))
    except ValidationError:
        return WritingSettings()


def of_run(run_id: str, split: str | None = None) -> list[Evaluation]:
    """Newest first."""
    found = records.find(Evaluation, run_id=run_id)
    return [e for e in found if split is None or e.split == split]


def result(evaluation: Evaluation) -> EvaluationResult:
    return EvaluationResult.model_validate(evaluation.result)


def judge(
    run: Run,
    split: str,
    contenders: Mapping[str, Predictions],
    base_note: str,
    seconds: float,
    repeated: Repeated | None = None,
) -> EvaluationResult:
    """Build the result from predictions, against what the project hopes for (called by the worker)."""
    project = records.get(Project, run.project_id)
    return build(run.task, split, contenders, base_note, seconds, project.success if project else {}, repeated)


def store(run: Run, built: EvaluationResult, payload: Mapping[str, Any] | None = None) -> Evaluation:
    """Keep a result with the reason and the test set that the job's payload names (called by the worker)."""
    given = payload or {}
    plan_id = given.get("plan_id") or run.plan_id
    return records.add(
        Evaluation(
            project_id=run.project_id,
            run_id=run.id,
            split=built.split,
            lineage=datasets.get_version(preparation.get_plan(plan_id).dataset_version_id).lineage,
            reason=given.get("reason") or REASON,
            result=built.model_dump(mode="json"),
        )
    )


def deepen(
    run: Run,
    given: runs.Inputs,
    built: EvaluationResult,
    contenders: Mapping[str, Predictions],
    validation: Predictions | None = None,
    progress: analyses.Progress = lambda what: None,
) -> EvaluationResult:
    """Work out and keep what stands behind the figures (called by the worker)."""
    found = analyses.analyse(run, given, built, contenders, validation, progress)
    fitted = found.calibration if found.calibration and found.calibration.fitted_on else None
    return built.model_copy(
        update={
            "analysis": analyses.keep(found),
            "validation": keep_table(validation.to_table()) if validation is not None else "",
            "temperature": fitted.temperature if fitted else None,
        }
    )


def build(
    task_key: str,
    split: str,
    contenders: Mapping[str, Predictions],
    base_note: str,
    seconds: float,
    success: Mapping[str, Any],
    repeated: Repeated | None = None,
) -> EvaluationResult:
    """Metrics, comparisons and the verdict in words. `contenders` holds at least `tuned`.

    Where rows are `repeated` from training, every metric is computed without them too, and the verdict rests on the others
    where there are enough of them.
    """
    task = tasks()[task_key]
    tuned, base = contenders["tuned"], contenders.get("base")
    rows = _metric_rows(task, contenders)
    # Rated answers have no pairs: then the first metric that they allow decides.
    measured = [row.key for row in rows]
    key = task.headline_metric if task.headline_metric in measured or not measured else measured[0]
    extra: dict[str, Any] = {}
    if isinstance(tuned, ClassPredictions):
        table = confusion(tuned)
        extra = {
            "labels": table.labels,
            "matrix": table.counts,
            "per_class": tuple(row.model_dump(mode="json") for row in per_class(tuned)),
        }
        if isinstance(base, ClassPredictions):
            extra |= {"fixed": len(fixed(base, tuned)), "broken": len(broken(base, tuned))}
    elif isinstance(tuned, LabelSetPredictions):
        extra = {
            "labels": all_labels(tuned),
            "per_class": tuple(row.model_dump(mode="json") for row in per_class(tuned)),
            "thresholds": tuned.thresholds,
            "fixed": len(label_examples(base, tuned, "fixed")),
            "broken": len(label_examples(base, tuned, "broken")),
        }
    elif isinstance(tuned, TextPredictions):
        extra["generated"] = sum(item.text is not None for item in tuned.items)
    judged, honest = contenders, None
    if repeated is not None and (repeated.exact or repeated.near):
        rest = without(contenders, repeated)
        found = _metric_rows(task, rest) if rest else ()
        honest = describe(repeated, split, len(tuned), key, rows, found)
        judged = rest if honest.judged else contenders
    summary = _summary(task, key, judged)
    headline = metrics()[key]
    reached = None
    if success.get("metric") in metrics():
        hoped = metrics()[success["metric"]]
        reached = verdicts.check_success(
            verdicts.Success.model_validate(dict(success)), hoped, hoped.compute(judged["tuned"])
        )
    return EvaluationResult(
        split=split,
        n=len(tuned),
        family=task.family,
        headline=headline.key,
        metrics=rows,
        contents={name: keep_table(p.to_table()) for name, p in contenders.items()},
        verdict=summary.verdict if summary else Verdict.NOT_ENOUGH_DATA,
        sentences=summary.sentences if summary else (),
        worth_it=summary.worth_it if summary else None,
        success=reached.model_dump(mode="json") if reached else {},
        base_note=base_note,
        seconds=seconds,
        honest=honest,
        groups=len(set(tuned.groups)) if tuned.groups is not None else 0,
        **extra,
    )


def _metric_rows(task: TaskType, contenders: Mapping[str, Predictions]) -> tuple[MetricRow, ...]:
    return tuple(row for m in _wanted_metrics(task) if (row := _metric_row(m, contenders)) is not None)


def _wanted_metrics(task: TaskType) -> list[Metric]:
    """The task's own, then those of its family that no task names: a new metric is one new file and no list."""
    named = {key for known in tasks().values() for key in known.metrics}
    own = [metrics()[key] for key in task.metrics]
    return own + [metric for metric in for_family(task.family) if metric.key not in named]


def _summary(task: TaskType, headline: str, contenders: Mapping[str, Predictions]) -> verdicts.Summary | None:
    """The verdict in words; None where there is no base to compare with."""
    tuned = contenders["tuned"]
    if isinstance(tuned, ClassPredictions):
        accuracy = metrics()["accuracy"]
        against = {name: compare(accuracy, contenders[name], tuned) for name in contenders if name != "tuned"}
        base, majority = against.get("base"), against.get("majority")
        if base is None and majority is None:
            return None
        return verdicts.classification_summary(base, majority, against.get("tfidf"))
    if isinstance(tuned, LabelSetPredictions | NumberPredictions):
        measure = metrics()[headline]
        others = {name: compare(measure, contenders[name], tuned) for name in contenders if name != "tuned"}
        plain = others.get("majority") or others.get("mean")
        if plain is None:
            return None
        own = "the mean of the training rows" if "mean" in others else "always giving the most frequent labels"
        return verdicts.reading_summary(measure, own, plain, others.get("base"), others.get("tfidf"))
    if "base" not in contenders:
        return None
    if task.preference:
        against = {name: compare(metrics()[headline], contenders[name], tuned) for name in ("base", "longer")}
        length = compare(metrics()["answer_words"], contenders["base"], tuned)
        aim = preference_verdict.words_of_better(tuned)
        return preference_verdict.summary(metrics()[headline], against["base"], against["longer"], length, aim)
    keys = dict.fromkeys((headline, "token_accuracy", "chrf"))
    pairs = [(metrics()[k], c) for k in keys if (c := compare(metrics()[k], contenders["base"], tuned)) is not None]
    nearest = None
    if "nearest" in contenders:
        found = compare(metrics()["chrf"], contenders["nearest"], tuned)
        nearest = (metrics()["chrf"], found) if found else None
    return verdicts.generation_summary(pairs, nearest) if pairs else None


def _metric_row(metric: Metric, contenders: Mapping[str, Predictions]) -> MetricRow | None:
    values = {name: e for name, p in contenders.items() if (e := metric.compute(p)) is not None}
    if "tuned" not in values:
        return None
    base = (contenders.get("base") or contenders.get("mean")) if metric.judged else None
    before = "base" if "base" in contenders else "mean"
    return MetricRow(
        key=metric.key,
        title=metric.title,
        help=metric.help,
        format=metric.format,
        higher_is_better=metric.higher_is_better,
        values=values,
        comparison=compare(metric, base, contenders["tuned"]) if base is not None and before in values else None,
        warning=metric.warning(contenders["tuned"]),
    )


def weigh(contenders: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """Predictions of preferences with their margins: the tuned model by its reward over the start, the start by itself."""
    tuned, start = (cast(TextPredictions, contenders[name]) for name in ("tuned", "base"))
    rewarded, own = preference_margins.by_reward(tuned, start), preference_margins.by_likelihood(start)
    return {**contenders, "tuned": rewarded, "base": own}


def simple_baselines(
    family: str, parts: Mapping[str, list[Example]], split: str, labels: Sequence[str] = ()
) -> dict[str, Predictions]:
    """What needs no fine-tuning: the commonest answer and word counts, or the answer of the most similar question."""
    train, test = parts["train"], parts[split]
    if family == "multi-label":
        return {
            "majority": baselines.frequent_set(train, test, labels),
            "tfidf": baselines.word_counts_sets(train, test, labels),
        }
    if family == "regression":
        return {"mean": baselines.mean_number(train, test), "tfidf": baselines.word_counts_number(train, test)}
    if family == "classifier":
        return {"majority": baselines.majority(train, test), "tfidf": baselines.word_counts(train, test)}
    if any(e.rejected or e.liked is not None for e in test):
        return {"longer": preference_margins.longer(test)}
    if any(e.messages for e in test):
        return {"nearest": baselines.nearest_answers(train, test)}
    return {}
