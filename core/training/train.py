"""One training from its spec to the finished model folder; resumes, pauses and stops without losing work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import torch
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast, set_seed

from core import methods
from core.atomic import sweep
from core.data.encoding import Codec
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.jobs import Desired
from core.schemas.predictor import Decoding
from core.schemas.recipe import Recipe
from core.schemas.recorder import Interrupted, Recorder
from core.schemas.training import TrainingResult, TrainingSpec

from . import arguments, checkpoints, compiling, device, hardware, loading, ranks, sharding, terms, varlen
from .balance import Rounds, thumb_weights, weights_of
from .callbacks import Obey, Progress, Samples, unstable, unusable_base
from .collators import LanguageCollator, PairCollator
from .faults import translated
from .heads import head_of
from .phases import Phases
from .predict import LanguagePredictor
from .predict_pairs import PairPredictor
from .preferences import PairTrainer, ThumbTrainer, thumb_trainer
from .retention import Retention
from .rows import Rows, encode
from .trainers import ClassifierTrainer, LanguageTrainer, TextToTextTrainer
from .with_terms import AfterSteps, WithTerms, with_columns

AnyTrainer: TypeAlias = ClassifierTrainer | LanguageTrainer | TextToTextTrainer | PairTrainer | ThumbTrainer
SHOWN_SAMPLES = 3


def train(spec: TrainingSpec, recorder: Recorder) -> TrainingResult:
    """Fine-tune as the spec says and leave the best checkpoint's model in `<spec.folder>/model`.

    Raises Interrupted when asked to pause, cancel or shut down (a checkpoint is there except for cancel), and UserError
    for what a person can mend: nothing to learn from, out of memory, an unstable loss, a full disk.
    """
    folder = Path(spec.folder) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    with translated(spec.recipe):
        if spec.recipe.devices == 1:
            return _finished(spec, folder, recorder, _trained(spec, folder, recorder))
        with ranks.joined(spec):
            trained = _trained(spec, folder, ranks.Together(recorder))
        return _finished(spec, folder, recorder, trained)


def take_part(spec: TrainingSpec) -> None:
    """Train as one of several devices that rank 0 speaks for. Raises what `train` raises."""
    with translated(spec.recipe):
        _trained(spec, Path(spec.folder) / "checkpoints", ranks.Together(None))


@dataclass(frozen=True)
class _Trained:
    trainer: AnyTrainer
    rows: Rows
    device: device.Device
    obey: Obey
    progress: Progress


def _trained(spec: TrainingSpec, folder: Path, recorder: Recorder) -> _Trained:
    recipe = spec.recipe
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    trainer, rows, chosen = assembled(spec, codec, folder, recorder)
    limit = _limit(spec, trainer, rows, chosen, recorder)
    if recipe.compiling == "auto" and chosen.name == "cuda":
        compiling.where_it_pays(spec, trainer, rows, limit, recorder)
    obey = Obey(recorder, recipe)
    usage = hardware.Usage(chosen)
    tokens_seen = lambda: ranks.total(float(trainer.tokens_seen))  # noqa: E731
    progress = Progress(recorder, tokens_seen, trainer.phases, limit, usage.read)
    trainer.add_callback(progress)
    trainer.add_callback(obey)
    if ranks.first():
        trainer.retention = Retention(recipe, recorder, folder)
        trainer.add_callback(trainer.retention)
    if not FAMILIES[spec.family].reads and (ranks.first() or trainer.in_parts):  # in parts, all have to write
        prompts = _sample_prompts(spec)
        kind = PairPredictor if FAMILIES[spec.family].pairs else LanguagePredictor
        writer = kind(trainer.model, loading.tokenizer(spec.base_folder), codec)
        trainer.add_callback(Samples(recorder, lambda: _answers(writer, prompts)))

    if spec.resume_from is None:
        recorder.event("started", 0, "Started", _settings(recipe), data={"recipe": recipe.model_dump(mode="json")})
    _steps(spec, trainer, obey, progress, recorder)
    return _Trained(trainer, rows, chosen, obey, progress)


def _finished(spec: TrainingSpec, folder: Path, recorder: Recorder, trained: _Trained) -> TrainingResult:
    recipe, trainer, rows, chosen = spec.recipe, trained.trainer, trained.rows, trained.device
    obey, progress = trained.obey, trained.progress
    best = checkpoints.best_whole(trainer.state.log_history, recipe, folder)
    if best is None:
        raise unstable(trainer.state.global_step)
    recorder.phase("Keeping the best checkpoint")
    checkpoints.publish_model(spec, best, folder, recorder)
    all_parameters, learning = loading.parameter_counts(trainer.model)
    return TrainingResult(
        ended=obey.ended,
        best_step=best.step,
        best_metric=recipe.best_metric,
        best_value=best.value,
        steps=trainer.state.global_step,
        epochs=round(trainer.state.epoch or 0.0, 3),
        seconds=round(progress.seconds, 2),
        train_tokens=int(progress.tokens),
        peak_memory=device.peak_memory(chosen),
        device=chosen.title,
        precision="bf16" if chosen.autocast else str(chosen.weights).removeprefix("torch."),
        examples={"train": len(spec.train), "validation": len(spec.validation)},
        dropped={"train": rows.train.dropped, "validation": rows.validation.dropped},
        versions={name: version(name) for name in ("torch", "transformers", "trl", "peft", "datasets")},
        details={"parameters": all_parameters, "learning_parameters": learning, "threads": torch.get_num_threads()},
    )


def _settings(recipe: Recipe) -> str:
    return (
        f"Learning rate {recipe.learning_rate:g}, effective batch size {recipe.effective_batch_size}, "
        f"{recipe.epochs:g} epochs, method {recipe.method}."
    )


def assembled(
    spec: TrainingSpec, codec: Codec, folder: Path, recorder: Recorder
) -> tuple[AnyTrainer, Rows, device.Device]:
    """The trainer with its rows and its model on the device that the recipe asks for, ready for the first step."""
    recipe, method = spec.recipe, methods.get(spec.recipe.method)
    chosen = device.choose(recipe.precision, method.adapter)
    recorder.phase("Turning text into tokens")
    rows = encode(codec, spec)
    recorder.phase("Loading the base model")
    set_seed(recipe.seed)  # the fresh head and adapter depend on it
    head = head_of(spec.family, spec.labels, spec.train)
    base = loading.base_model(spec.base_folder, spec.family, chosen.weights, head, bits=method.base_bits)
    model: Any = loading.prepared(base, spec.family, recipe)
    trainer = trainer_of(spec, chosen, model, loading.tokenizer(spec.base_folder), rows, folder)
    trainer.recorder, trainer.best_metric = recorder, recipe.best_metric
    if "seq_lengths" in rows.train.rows.column_names and varlen.runs_on(chosen) and varlen.adopt(trainer.model, chosen):
        trainer.data_collator = replace(trainer.data_collator, by_example=True)
    if recipe.compiling == "always":
        recorder.phase("Compiling the layers")
        compiling.compile_layers(trainer)
    return trainer, rows, chosen


def _limit(
    spec: TrainingSpec, trainer: AnyTrainer, rows: Rows, chosen: device.Device, recorder: Recorder
) -> hardware.Limit:
    """What the hardware can do, measured now, and what a token costs; told beside the curves."""
    found_rows = rows.train.rows
    if "seq_lengths" in found_rows.column_names:
        lengths = [n for row in found_rows["seq_lengths"] for n in row]
    else:
        lengths = trainer._lengths(found_rows)
    adapter = methods.get(spec.recipe.method).adapter
    found = hardware.limit(chosen, trainer.model, adapter, lengths)
    found = replace(found, ceiling=found.ceiling * ranks.size())
    facts = {
        "device": chosen.name, "title": chosen.title, "ceiling": found.ceiling, "per_token": found.per_token, "how": found.how,
        "use_known": found.use_known, "phases_known": trainer.phases.measured,
    }  # fmt: skip
    recorder.event("hardware", 0, chosen.title, f"The ceiling is {found.how}.", data=facts)
    return found


def _steps(spec: TrainingSpec, trainer: AnyTrainer, obey: Obey, progress: Progress, recorder: Recorder) -> None:
    """Train to the end, from the start or from a checkpoint. Raises Interrupted, or UserError when the loss is no number."""
    ended = None
    trainer.phases.start()
    if spec.resume_from is None:
        recorder.phase("Measuring the base model before the first step")
        trainer.evaluate()
        ranks.forget_evaluated(trainer.accelerator)
        if progress.nan_step is not None:
            raise unusable_base()
    else:
        saved = checkpoints.state_of(spec.resume_from)
        progress.restore(saved)
        if isinstance(trainer, WithTerms):
            trainer.load_terms(Path(spec.resume_from))
        ended = checkpoints.already_ended(saved, spec.recipe, recorder.wish())
    if ended:
        trainer.state, obey.ended = saved, ended
    else:
        trainer.train(resume_from_checkpoint=spec.resume_from)
    if obey.ended in ("paused", "shutdown", "cancelled"):
        raise Interrupted(Desired.CANCEL if obey.ended == "cancelled" else Desired.PAUSE)
    if progress.nan_step is not None:
        raise unstable(progress.nan_step)


def trainer_of(
    spec: TrainingSpec, chosen: device.Device, model: Any, tokenizer: PreTrainedTokenizerFast, rows: Rows, folder: Path
) -> AnyTrainer:
    head = head_of(spec.family, spec.labels, spec.train)
    found = terms.of_training(spec, model, rows.train.rows)
    common: dict[str, Any] = {
        "model": model,
        "train_dataset": with_columns(rows.train.rows, found),
        "eval_dataset": {"validation": rows.validation.rows, "train_sample": rows.sample},
        "processing_class": tokenizer,
        "in_parts": sharding.wanted(spec.recipe),
    }
    width = spec.plan.max_length if spec.plan.padding == "fixed" else 0
    trainer: AnyTrainer
    size = len(rows.train.rows)
    if head is not None:
        labels, balance = list(rows.train.rows["labels"]), spec.recipe.balance
        rounds = Rounds(labels, balance, spec.recipe.seed) if balance in ("oversample", "undersample") else None
        rounds = next((drawn for term in found if (drawn := term.rounds()) is not None), rounds)
        size = len(rounds) if rounds else len(labels)
        trainer = ClassifierTrainer(
            args=arguments.reader(str(folder), size, spec.recipe, chosen),
            data_collator=DataCollatorWithPadding(tokenizer, "max_length" if width else True, width or None),
            compute_metrics=head.figures,
            **common,
        )
        trainer.rounds, trainer.problem = rounds, head.problem
        trainer.smoothing = spec.recipe.label_smoothing if spec.family == "classifier" else 0.0
        trainer.class_weights = weights_of(labels, len(spec.labels)) if balance == "weights" else None
    elif spec.objective == "pairs":
        adapter = methods.get(spec.recipe.method).adapter
        trainer = PairTrainer(args=arguments.pairs(str(folder), size, spec.recipe, chosen, adapter=adapter), **common)
    elif spec.objective == "thumbs":
        weights = thumb_weights(list(rows.train.rows["label"]))
        args = arguments.thumbs(str(folder), size, spec.recipe, chosen, weights)
        trainer = thumb_trainer(args, common, tokenizer.pad_token_id or 0)
    elif FAMILIES[spec.family].pairs:
        trainer = TextToTextTrainer(
            args=arguments.reader(str(folder), size, spec.recipe, chosen),
            data_collator=PairCollator(tokenizer.pad_token_id or 0, width),
            **common,
        )
    else:
        trainer = LanguageTrainer(
            args=arguments.language_model(str(folder), size, spec.recipe, spec.plan, chosen),
            data_collator=LanguageCollator(tokenizer.pad_token_id or 0, width),
            **common,
        )
    if found and isinstance(trainer, WithTerms):
        trainer.terms = found
        trainer.add_callback(AfterSteps(found))
    trainer.phases = Phases(chosen.name)
    # Packed sequences are of one length: there is nothing to take together.
    trainer.grouped = spec.plan.padding == "bucket" and "seq_lengths" not in rows.train.rows.column_names
    return trainer


def _sample_prompts(spec: TrainingSpec) -> list[Example]:
    return list(spec.validation[:SHOWN_SAMPLES])


def _answers(writer: LanguagePredictor | PairPredictor, examples: Sequence[Example]) -> list[dict[str, str]]:
    prompts = [e.prompt if e.messages else " ".join(e.text.split()[:12]) for e in examples]
    generated = writer.generate(prompts, Decoding(max_new_tokens=48))
    shown = [p if isinstance(p, str) else p[-1].content for p in prompts]
    return [
        {"prompt": prompt, "text": g.text, "reference": e.reference}
        for prompt, g, e in zip(shown, generated, examples, strict=True)
    ]
