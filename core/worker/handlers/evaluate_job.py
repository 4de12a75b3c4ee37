"""Evaluate: base, tuned and simple baselines on one split, with the same rows and decoding."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from core.schemas.examples import Example
from core.schemas.families import FAMILIES, MOST_ASKED
from core.schemas.jobs import Job
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.predictions import ClassPredictions, Predictions, TextPrediction, TextPredictions
from core.schemas.predictor import Decoding, Predictor
from core.services import evaluations, honest, preparation, related_rows, runs, starting
from core.tasks import registry as tasks
from core.worker.recorder import JobRecorder

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
    given = runs.inputs(training)
    examples = given.parts[split]
    generate = int(job.payload.get("generate", evaluations.GENERATED_AT_MOST))

    def ticker(what: str) -> Any:
        def tick(done: int) -> None:
            recorder.obey()
            recorder.phase(what, done, len(examples))

        return tick

    contenders: dict[str, Predictions] = {}
    tuned = predictors.tuned(given.folder, given.plan, ticker("Tuned model"))
    contenders["tuned"] = _predict(tuned, given.family, given.labels, examples, generate)
    # Thresholds and temperature are chosen on validation rows, so what it says about them is kept too.
    aside = (
        _predict(tuned, given.family, given.labels, given.parts["validation"], 0) if _chooses(given, split) else None
    )
    del tuned
    prompt = tasks()[training.task].label_prompt
    base = predictors.base(given.base_folder, given.family, given.plan, given.labels, prompt, ticker("Base model"))
    if base is not None:
        contenders["base"] = _predict(base, given.family, given.labels, examples, generate)
    note = _base_note(given.family, base is not None, len(given.labels))
    if tasks()[training.task].preference:
        contenders, note = evaluations.weigh(contenders), starting.note(training)
    recorder.phase("Simple baselines")
    contenders |= evaluations.simple_baselines(given.family, given.parts, split, given.labels)
    recorder.phase("Looking for rows that stand in training too")
    repeated = honest.repeated(given.parts, split)
    related = related_rows.groups(preparation.get_plan(training.plan_id), examples)
    contenders = {name: related_rows.grouped(found, related) for name, found in contenders.items()}
    recorder.phase("Comparing")
    seconds = round(time.monotonic() - began, 2)
    built = evaluations.judge(training, split, contenders, note, seconds, repeated)
    built = evaluations.deepen(training, given, built, contenders, aside, recorder.phase)
    return recorder.deliver(lambda: {"evaluation_id": evaluations.store(training, built).id})


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


def _predict(
    predictor: Predictor, family: str, labels: tuple[str, ...], examples: list[Example], generate: int
) -> Predictions:
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
    others = _rejected(predictor, examples)
    # A completion has no prompt of its own: the model continues the text's first words.
    shown = [p if is_chat else opening(e.text) for e, p, is_chat in zip(examples, prompts, chat, strict=True)]
    written = predictor.generate(shown[:generate], Decoding())
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


def _rejected(predictor: Predictor, examples: list[Example]) -> dict[str, float]:
    """Row id to the negative log-likelihood (nats) of the rejected answer, for the rows that have one."""
    pairs = [e for e in examples if e.rejected]
    if not pairs:
        return {}
    scores = predictor.score([e.prompt for e in pairs], [e.rejected for e in pairs])
    return {e.row_id: score.nll for e, score in zip(pairs, scores, strict=True)}


def opening(text: str, words: int = 12) -> str:
    """The first words of a text, with its own spacing."""
    parts = text.split(maxsplit=words)
    return text if len(parts) <= words else text[: len(text) - len(parts[-1])].rstrip()
