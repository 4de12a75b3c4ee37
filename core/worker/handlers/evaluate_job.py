"""Evaluate: base, tuned and simple baselines on one split, with the same rows, decoding and draws."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.data.copying import copied
from core.schemas.evaluation_settings import WritingSettings
from core.schemas.examples import Example
from core.schemas.families import FAMILIES, MOST_ASKED
from core.schemas.forgetting import Forgetting
from core.schemas.jobs import Job
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.predictions import ClassPredictions, Predictions, TextPrediction, TextPredictions
from core.schemas.predictor import Decoding, Predictor
from core.services import earlier_rounds, evaluations, forgetting, honest, preparation, related_rows, runs, starting
from core.services.review_prompts import opening
from core.services.runs import Inputs
from core.store.tables import Run
from core.tasks import registry as tasks
from core.worker.recorder import JobRecorder
from core.worker.stages import Stages

NO_OPINION = (
    "This base model cannot write text, so it has no opinion about the labels before training. "
    "The majority baseline stands in its place."
)
TOO_MANY = (
    "A base model is asked about each label by itself, and there are too many of them here. Always giving the most frequent "
    "labels stands in its place."
)
NO_NUMBER = "An untrained model has no opinion about your numbers. The mean of the training rows stands in its place."
JUDGED = "The base model was asked about each label by itself: it is given where “yes” is likelier than “no”."


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the model engine")
    from core.training import predictors

    began = time.monotonic()
    training = runs.get(job.payload["run_id"])
    split = job.payload["split"]
    given = evaluations.inputs(training, job.payload)
    examples = given.parts[split]
    decoding = Decoding.model_validate(job.payload.get("decoding") or {})
    generate = int(job.payload.get("generate", WritingSettings().answers))
    stages = Stages(recorder)

    contenders: dict[str, Predictions] = {}
    tuned = predictors.tuned(given.folder, given.plan, stages)
    contenders["tuned"] = _predict(tuned, "Your model", given, examples, generate, decoding, stages)
    # Thresholds and temperature are chosen on validation rows, so what it says about them is kept too.
    aside = None
    if _chooses(given, split):
        aside = _predict(tuned, "Your model, validation rows,", given, given.parts["validation"], 0, decoding, stages)
    del tuned
    prompt = tasks()[training.task].label_prompt
    base = predictors.base(given.base_folder, given.family, given.plan, given.labels, prompt, stages)
    if base is not None:
        contenders["base"] = _predict(base, "Base model", given, examples, generate, decoding, stages)
    note = _base_note(given.family, base is not None, len(given.labels)) or starting.note(training)
    del base
    if tasks()[training.task].preference:
        contenders, note = evaluations.weigh(contenders), starting.note(training)
    forgot = _forgotten(training, given, stages)
    stages.begin("Simple baselines")
    contenders |= evaluations.simple_baselines(given.family, given.parts, split, given.labels)
    if not FAMILIES[given.family].reads:
        stages.begin("Looking for passages copied from training")
        contenders = {name: _with_copies(p, given.parts["train"]) for name, p in contenders.items()}
    stages.begin("Looking for rows that stand in training too")
    repeated = honest.repeated(given.parts, split, honest.learned_before(training))
    related = related_rows.groups(preparation.get_plan(job.payload.get("plan_id") or training.plan_id), examples)
    contenders = {name: related_rows.grouped(found, related) for name, found in contenders.items()}
    stages.begin("Comparing")
    seconds = round(time.monotonic() - began, 2)
    built = evaluations.judge(training, split, contenders, note, seconds, repeated)
    stages.begin("Comparing with other rounds")
    others = earlier_rounds.compared(training, split, contenders["tuned"], [row.key for row in built.metrics])
    built = built.model_copy(
        update={
            "decoding": None if FAMILIES[given.family].reads else decoding,
            "forgetting": forgot,
            "rounds": others,
        }
    )
    built = evaluations.deepen(training, given, built, contenders, aside, stages.begin)
    recorder.obey()
    return recorder.deliver(lambda: {"evaluation_id": evaluations.store(training, built, job.payload).id})


def _chooses(given: runs.Inputs, split: str) -> bool:
    """Whether something is chosen on validation rows for the rows that are judged."""
    return split != "validation" and FAMILIES[given.family].labels and bool(given.parts["validation"])


def _base_note(family: str, judged: bool, labels: int) -> str:
    """What the figures of the base model are, or why there are none."""
    if judged:
        return JUDGED if family == "multi-label" else ""
    if family == "regression":
        return NO_NUMBER
    return TOO_MANY if family == "multi-label" and labels > MOST_ASKED else NO_OPINION


def _forgotten(training: Run, given: Inputs, stages: Stages) -> Forgetting:
    """A finished model does not change: what an earlier evaluation of it measured is taken over."""
    from core.training import forgetting as probes

    for kept in evaluations.of_run(training.id):
        known = evaluations.result(kept).forgetting
        if known is not None and known.probes:
            return known
    if not probes.measurable(given.base_folder, given.family):
        return Forgetting(reason=forgetting.PAIRS if FAMILIES[given.family].pairs else forgetting.ENCODER)
    texts = forgetting.all_passages()
    stages.begin("General passages, before and after", 2 * len(texts))
    scores = probes.likelihoods(given.folder, given.base_folder, given.family, given.plan, texts, stages)
    if scores is None:
        return Forgetting(reason=forgetting.APART)
    return forgetting.measured(*scores, forgetting.THROUGH_BASE if FAMILIES[given.family].reads else "")


def _predict(
    predictor: Predictor,
    who: str,
    given: Inputs,
    examples: list[Example],
    generate: int,
    decoding: Decoding,
    stages: Stages,
) -> Predictions:
    family, labels = given.family, given.labels
    stages.begin(f"{who} reads", len(examples))
    if family == "multi-label":
        said = predictor.classify([e.text for e in examples])
        return LabelSetPredictions.of(labels, examples, said, predictor.thresholds)
    if family == "regression":
        return NumberPredictions.of(examples, predictor.values([e.text for e in examples]))
    if family == "classifier":
        return ClassPredictions.of(labels, examples, predictor.classify([e.text for e in examples]))
    chat = [bool(e.messages) for e in examples]
    prompts = [e.prompt if is_chat else "" for e, is_chat in zip(examples, chat, strict=True)]
    answers = [e.reference if is_chat else e.text for e, is_chat in zip(examples, chat, strict=True)]
    scores = predictor.score(prompts, answers)
    others = _rejected(predictor, who, examples, stages)
    # A completion has no prompt of its own: the model continues the text's first words.
    shown = [p if is_chat else opening(e.text) for e, p, is_chat in zip(examples, prompts, chat, strict=True)]
    stages.begin(f"{who} writes", len(shown[:generate]))
    written = predictor.generate(shown[:generate], decoding)
    padded = [*written, *[None] * (len(examples) - len(written))]
    references = [a if is_chat else a[len(s) :] for a, s, is_chat in zip(answers, shown, chat, strict=True)]
    return TextPredictions(
        tuple(
            replace(
                TextPrediction.of(e.row_id, prompt, reference, generation, score),
                rejected=e.rejected,
                rejected_nll=others.get(e.row_id),
                liked=e.liked,
            )
            for e, prompt, reference, generation, score in zip(examples, shown, references, padded, scores, strict=True)
        )
    )


def _rejected(predictor: Predictor, who: str, examples: list[Example], stages: Stages) -> Mapping[str, float]:
    """Row id to the negative log-likelihood (nats) of the rejected answer, for the rows that have one."""
    pairs = [e for e in examples if e.rejected]
    if not pairs:
        return {}
    stages.begin(f"{who} reads the worse answers", len(pairs))
    scores = predictor.score([e.prompt for e in pairs], [e.rejected for e in pairs])
    return {e.row_id: score.nll for e, score in zip(pairs, scores, strict=True)}


def _with_copies(predictions: Predictions, train: Sequence[Example]) -> Predictions:
    """Each written answer with whether it repeats a training row."""
    if not isinstance(predictions, TextPredictions):
        return predictions
    rows = [e.text or "\n".join(m.content for m in e.messages) for e in train]
    items = predictions.items
    found = copied([item.text for item in items], [(item.prompt, item.reference) for item in items], rows)
    return TextPredictions(tuple(replace(item, copied=told) for item, told in zip(items, found, strict=True)))
