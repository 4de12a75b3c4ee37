"""One training from its spec to the finished model folder; resumes, pauses and stops without losing work."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import DataCollatorWithPadding, EvalPrediction, PreTrainedTokenizerFast, set_seed
from transformers.trainer_utils import get_last_checkpoint

from core.atomic import is_whole, new_folder, sweep, write_json
from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.jobs import Desired
from core.schemas.predictor import Decoding
from core.schemas.recorder import Interrupted, Recorder
from core.schemas.training import TrainingResult, TrainingSpec

from . import arguments, device, loading
from .best import Best, best_evaluation
from .callbacks import Obey, Progress, Retention, Samples, unstable
from .collators import LanguageCollator
from .datasets import EncodedRows, classifier_rows, language_rows
from .faults import translated
from .predict import LanguagePredictor
from .trainers import CHECKPOINT, ClassifierTrainer, LanguageTrainer

FIXED_TRAIN_SAMPLE = 200
SHOWN_SAMPLES = 3
NOT_PART_OF_A_MODEL = {"optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "training_args.bin", "manifest.json"}


def train(spec: TrainingSpec, recorder: Recorder) -> TrainingResult:
    """Fine-tune as the spec says and leave the best checkpoint's model in `<spec.folder>/model`.

    Raises Interrupted when asked to pause, cancel or shut down (a checkpoint is there except for cancel), and UserError for
    what a person can mend: nothing to learn from, out of memory, an unstable loss, a full disk.
    """
    with translated(spec.recipe):
        return _train(spec, recorder)


def _train(spec: TrainingSpec, recorder: Recorder) -> TrainingResult:
    began = time.monotonic()
    recipe = spec.recipe
    chosen = device.choose(recipe.precision, recipe.method)
    set_seed(recipe.seed)
    checkpoints = Path(spec.folder) / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    sweep(checkpoints)

    recorder.phase("Turning text into tokens")
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    train_rows, validation_rows = _encode(codec, spec)
    _check(spec, train_rows, validation_rows)

    recorder.phase("Loading the base model")
    set_seed(recipe.seed)  # the fresh head and adapter depend on it
    model: Any = loading.base_model(spec.base_folder, spec.family, chosen.weights, spec.labels)
    if recipe.method == "lora":
        model = loading.with_adapter(model, spec.family, recipe)
    tokenizer = loading.tokenizer(spec.base_folder)
    trainer = _trainer(spec, chosen, model, tokenizer, train_rows, validation_rows, checkpoints, recorder)
    obey, progress = Obey(recorder, recipe), Progress(recorder, lambda: float(trainer.tokens_seen))
    trainer.add_callback(progress)
    trainer.add_callback(obey)
    trainer.add_callback(Retention(recipe, recorder.forget_checkpoint))
    if spec.family == "causal-lm":
        prompts = _sample_prompts(spec)
        writer = LanguagePredictor(trainer.model, tokenizer, codec)
        trainer.add_callback(Samples(recorder, lambda: _answers(writer, prompts)))

    if spec.resume_from is None:
        recorder.phase("Measuring the base model before the first step")
        trainer.evaluate()
    trainer.train(resume_from_checkpoint=spec.resume_from)
    if obey.ended in ("paused", "shutdown", "cancelled"):
        raise Interrupted(Desired.CANCEL if obey.ended == "cancelled" else Desired.PAUSE)

    best = best_evaluation(trainer.state.log_history, recipe.best_metric, recipe.higher_is_better)
    if progress.nan_step is not None or best is None:
        raise unstable(progress.nan_step or trainer.state.global_step)
    recorder.phase("Keeping the best checkpoint")
    publish_model(spec, best, checkpoints, recorder)
    all_parameters, learning = loading.parameter_counts(trainer.model)
    return TrainingResult(
        ended=obey.ended,
        best_step=best.step,
        best_metric=recipe.best_metric,
        best_value=best.value,
        steps=trainer.state.global_step,
        epochs=round(trainer.state.epoch or 0.0, 3),
        seconds=round(time.monotonic() - began, 2),
        train_tokens=int(trainer.tokens_seen),
        peak_memory=device.peak_memory(chosen),
        device=chosen.title,
        precision="bf16" if chosen.autocast else str(chosen.weights).removeprefix("torch."),
        examples={"train": len(spec.train), "validation": len(spec.validation)},
        dropped={"train": train_rows.dropped, "validation": validation_rows.dropped},
        versions={name: version(name) for name in ("torch", "transformers", "trl", "peft", "datasets")},
        details={"parameters": all_parameters, "learning_parameters": learning, "threads": torch.get_num_threads()},
    )


def _encode(codec: Codec, spec: TrainingSpec) -> tuple[EncodedRows, EncodedRows]:
    if spec.family == "classifier":
        return classifier_rows(codec, spec.train, spec.labels), classifier_rows(codec, spec.validation, spec.labels)
    return (
        language_rows(codec, spec.train, spec.plan, pack=spec.plan.packing),
        language_rows(codec, spec.validation, spec.plan, pack=False),
    )


def _check(spec: TrainingSpec, train_rows: EncodedRows, validation_rows: EncodedRows) -> None:
    for name, encoded in (("training", train_rows), ("validation", validation_rows)):
        if not len(encoded.rows):
            raise UserError(
                f"There is nothing to learn from in the {name} part.",
                "Every row is empty, or its answer is cut off by the maximum length.",
                "Raise the maximum length on the Tokenization screen, or check the columns of the dataset.",
            )


def _trainer(
    spec: TrainingSpec,
    chosen: device.Device,
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    train_rows: EncodedRows,
    validation_rows: EncodedRows,
    checkpoints: Path,
    recorder: Recorder,
) -> ClassifierTrainer | LanguageTrainer:
    evaluated = {"validation": validation_rows.rows, "train_sample": _fixed_sample(spec, train_rows.rows)}
    rows = len(train_rows.rows)
    common: dict[str, Any] = {"model": model, "train_dataset": train_rows.rows, "eval_dataset": evaluated}
    trainer: ClassifierTrainer | LanguageTrainer
    if spec.family == "classifier":
        trainer = ClassifierTrainer(
            args=arguments.classifier(str(checkpoints), rows, spec.recipe, chosen),
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=_classification_metrics,
            processing_class=tokenizer,
            **common,
        )
    else:
        trainer = LanguageTrainer(
            args=arguments.language_model(str(checkpoints), rows, spec.recipe, spec.plan, chosen),
            data_collator=LanguageCollator(tokenizer.pad_token_id or 0),
            processing_class=tokenizer,
            **common,
        )
    trainer.recorder = recorder
    return trainer


def _fixed_sample(spec: TrainingSpec, rows: Dataset) -> Dataset:
    """The same (up to) 200 training rows at every evaluation: the curve that stands beside validation."""
    chosen = random.Random(spec.recipe.seed).sample(range(len(rows)), min(FIXED_TRAIN_SAMPLE, len(rows)))
    return rows.select(sorted(chosen))


def _classification_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Accuracy, and the unweighted mean of the classes' F1 over the classes that occur."""
    logits = prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    gold, chosen = np.asarray(prediction.label_ids), np.argmax(logits, axis=-1)
    f1 = []
    for label in np.union1d(gold, chosen):
        hits = np.sum((gold == label) & (chosen == label))
        f1.append(2 * hits / (np.sum(gold == label) + np.sum(chosen == label)))
    return {"accuracy": float(np.mean(gold == chosen)), "macro_f1": float(np.mean(f1))}


def _sample_prompts(spec: TrainingSpec) -> list[Example]:
    return list(spec.validation[:SHOWN_SAMPLES])


def _answers(writer: LanguagePredictor, examples: Sequence[Example]) -> list[dict[str, str]]:
    prompts = [e.prompt if e.messages else " ".join(e.text.split()[:12]) for e in examples]
    generated = writer.generate(prompts, Decoding(max_new_tokens=48))
    shown = [p if isinstance(p, str) else p[-1].content for p in prompts]
    return [
        {"prompt": prompt, "text": g.text, "reference": e.reference}
        for prompt, g, e in zip(shown, generated, examples, strict=True)
    ]


def publish_model(spec: TrainingSpec, best: Best, checkpoints: Path, recorder: Recorder) -> None:
    """Copy the model files of the best checkpoint to `<folder>/model`, whole or not at all."""
    source = checkpoints / CHECKPOINT.format(step=best.step)
    if not is_whole(source):
        raise UserError(
            "The best checkpoint cannot be read.",
            f"A file of the checkpoint of step {best.step} is missing or was changed.",
            "Start the training again; the dataset and the settings are unchanged.",
        )
    with new_folder(Path(spec.folder) / "model", recorder.guard) as target:
        for file in source.iterdir():
            if file.is_file() and file.name not in NOT_PART_OF_A_MODEL and file.name != "README.md":
                shutil.copyfile(file, target / file.name)
        tokenizer = loading.tokenizer(spec.base_folder)
        if spec.family == "causal-lm":
            # A base without a template of its own was trained with ours: whoever loads the model must know it.
            tokenizer.chat_template = Codec.from_folder(spec.base_folder, spec.family, spec.plan).chat.text
        tokenizer.save_pretrained(target)
        facts = {
            "family": spec.family,
            "labels": list(spec.labels),
            "base_folder": spec.base_folder,
            "method": spec.recipe.method,
            "step": best.step,
            "plan": spec.plan.model_dump(),
        }
        write_json(target / loading.TUNED_FILE, facts)


def newest_whole_checkpoint(folder: str | Path) -> tuple[Path, int] | None:
    """The newest checkpoint of a run that passes its manifest, and its step. Damaged ones are removed."""
    root = Path(folder) / "checkpoints"
    while root.exists() and (last := get_last_checkpoint(str(root))):
        if is_whole(Path(last)):
            return Path(last), int(Path(last).name.split("-")[1])
        shutil.rmtree(last)
    return None
