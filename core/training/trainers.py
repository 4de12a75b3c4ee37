"""transformers' Trainer and trl's SFTTrainer with checkpoints that are whole or absent, and exact counts and order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import Trainer
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTTrainer

from core.atomic import publish_folder
from core.schemas.recorder import Recorder

from . import ranks, regional, token_loss
from .balance import Rounds, WeightedTraining
from .best import value_at
from .in_parts import InParts
from .phases import Phases
from .retention import Retention
from .with_terms import WithTerms

CHECKPOINT = "checkpoint-{step}"


class _Timed:
    """Says which phase of a step is under way. Evaluation and saving count as a whole, whatever they compute."""

    phases: Phases

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        with self.phases.span("data"):
            return super().get_batch_samples(*args, **kwargs)  # type: ignore[misc]

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        with self.phases.span("backward"):  # less the forward pass within it
            return super().training_step(*args, **kwargs)  # type: ignore[misc]

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        with self.phases.span("forward"):
            return super().compute_loss(*args, **kwargs)  # type: ignore[misc]

    def _clip_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        with self.phases.span("optimiser"):
            return super()._clip_grad_norm(*args, **kwargs)  # type: ignore[misc]

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        with self.phases.span("evaluation"):
            return super().evaluate(*args, **kwargs)  # type: ignore[misc]

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        with self.phases.span("checkpoint"):
            super()._save_checkpoint(*args, **kwargs)  # type: ignore[misc]


class _WholeCheckpoints:
    """Saves into a temporary folder, which gets its manifest and its name only when it is complete.

    The Trainer itself writes straight into the final folder, so that a kill in the middle leaves one that looks whole.
    """

    recorder: Recorder
    best_metric: str
    retention: Retention | None = None
    _staging: str | None = None
    tokens_seen: torch.Tensor | int = 0

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        """A resumed epoch has its own order of rows. What passes over the batches that were trained already forwards the epoch
        to no sampler that is shared out over devices: those would go on with the order of the first epoch."""
        kwargs["train_dataloader"].set_epoch(kwargs["epoch"])
        super()._run_epoch(*args, **kwargs)  # type: ignore[misc]

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """trl writes a card into every checkpoint; ours is written once, with figures, at the export."""

    def _get_output_dir(self, trial: Any) -> str:
        return self._staging or super()._get_output_dir(trial)  # type: ignore[misc]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        step = self.state.global_step  # type: ignore[attr-defined]
        root = Path(self.args.output_dir)  # type: ignore[attr-defined]
        name = CHECKPOINT.format(step=step)
        root.mkdir(parents=True, exist_ok=True)
        if self.retention is not None:
            self.retention.make_room(self.state, _size_of(model))  # type: ignore[attr-defined]
        self._staging = ranks.agreed(tempfile.mkdtemp(prefix=".part-", dir=root) if ranks.first() else "")
        try:
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
            if isinstance(self, WithTerms):
                self.save_terms(Path(self._staging) / name)
            ranks.wait()  # every rank has added the state of its random numbers
            if ranks.first():
                publish_folder(Path(self._staging) / name, root / name, self.recorder.guard)
            ranks.wait()
        finally:
            if ranks.first():
                shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None
        value = value_at(self.state.log_history, step, self.best_metric)  # type: ignore[attr-defined]
        self.recorder.checkpoint(step, f"{root.name}/{name}", value)
        size = sum(file.stat().st_size for file in (root / name).iterdir() if file.is_file())
        self.recorder.event(
            "checkpoint", step, f"Checkpoint of step {step} saved", data={"bytes": size, "value": value}
        )

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Every rank evaluates all rows by itself: shared out, the last batch would be filled up with rows that count twice."""
        accelerator: Any = self.accelerator  # type: ignore[attr-defined]
        if ranks.size() == 1 or "prepare" in vars(
            accelerator
        ):  # one device, or a part of an evaluation that is under way
            return super().evaluate(*args, **kwargs)  # type: ignore[misc]
        accelerator.gather_for_metrics, accelerator.prepare = (lambda values, **_: values), (lambda loader: loader)
        # The Trainer keeps the one that it was made with, which cuts what it takes for filling: an earlier training's, maybe.
        self.gather_function = accelerator.gather_for_metrics
        try:
            return super().evaluate(*args, **kwargs)  # type: ignore[misc]
        finally:
            del accelerator.gather_for_metrics, accelerator.prepare

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        mask = inputs.get("attention_mask")
        if "real_tokens" in inputs:
            real = inputs["real_tokens"]
        else:
            real = inputs["input_ids"].numel() if mask is None else mask.sum()  # a tensor on a GPU: no wait in the step
        if getattr(self.model.config, "is_encoder_decoder", False):  # type: ignore[attr-defined]
            real = real + (inputs["labels"] != -100).sum()
        self.tokens_seen = self.tokens_seen + real
        return super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]


def _size_of(model: torch.nn.Module) -> int:
    """Bytes of a checkpoint, at least: the weights that learn, and two numbers of float32 for each in the optimiser."""
    return sum(p.numel() * (p.element_size() + 8) for p in model.parameters() if p.requires_grad)


class SimilarLengths(LengthGroupedSampler):
    """Rows in batches of similar length (or in any order), in an order that depends on seed and epoch alone.

    The library draws the order from the global generator, whose state at the start of an epoch no checkpoint holds: a
    run that is resumed within an epoch would see some rows twice and others never. `rounds` may choose the rows of each
    epoch; it always chooses equally many.
    """

    def __init__(
        self, batch_size: int, lengths: list[int], seed: int, rounds: Rounds | None = None, *, grouped: bool = True
    ) -> None:
        super().__init__(batch_size, lengths=lengths)
        self.all_lengths, self.seed, self.rounds, self.grouped = lengths, seed, rounds, grouped
        self.size = len(lengths) if rounds is None else len(rounds)
        self.epoch = 0

    def __len__(self) -> int:
        return self.size

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        self.generator = torch.Generator().manual_seed(self.seed + self.epoch)
        rows = list(range(len(self.all_lengths))) if self.rounds is None else self.rounds.rows(self.epoch)
        self.lengths = [self.all_lengths[row] for row in rows]
        if not self.grouped:
            return iter([rows[i] for i in torch.randperm(len(rows), generator=self.generator).tolist()])
        return iter([rows[i] for i in super().__iter__()])


class _Ordered:
    """Takes rows of similar length together, to waste little on padding, unless `grouped` is off."""

    rounds: Rounds | None = None
    grouped: bool = True

    def _lengths(self, rows: Dataset) -> list[int]:
        return [len(ids) for ids in rows["input_ids"]]

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Any:
        if not self.grouped and self.rounds is None:
            return super()._get_train_sampler(train_dataset)  # type: ignore[misc]
        rows = self.train_dataset if train_dataset is None else train_dataset  # type: ignore[attr-defined]
        args = self.args  # type: ignore[attr-defined]
        together = args.train_batch_size * args.gradient_accumulation_steps * ranks.size()
        return SimilarLengths(together, self._lengths(rows), args.data_seed, self.rounds, grouped=self.grouped)


class ClassifierTrainer(InParts, _Timed, _Ordered, _WholeCheckpoints, WithTerms, WeightedTraining, Trainer):
    """For every head that reads a text. Can weigh classes and rows and choose the rows of each round."""


class _ByToken:
    """Evaluates by token: the libraries average over batches, so that a short answer would count more than a long one."""

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        self._batches: list[tuple[int, float, float]] = []  # tokens that count, their mean loss, their accuracy
        output: EvalLoopOutput = super().evaluation_loop(  # type: ignore[misc]
            dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
        )
        tokens = max(1, sum(n for n, _, _ in self._batches))
        assert output.metrics is not None
        output.metrics[f"{metric_key_prefix}_loss"] = sum(n * loss for n, loss, _ in self._batches) / tokens
        self._keep_accuracy(output, sum(n * hits for n, _, hits in self._batches) / tokens)
        return output

    def _keep_accuracy(self, output: EvalLoopOutput, accuracy: float) -> None:
        """Put the accuracy where the library's log finds it."""
        raise NotImplementedError


class _AtTokens:
    """The head at the tokens that count alone (`token_loss`), and figures that are read when they are logged.

    trl's trainer asks the device for four numbers in every step, and a graphics card that is asked has to finish first.
    """

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._at_tokens = token_loss.teach(self.model)  # type: ignore[attr-defined]
        self._hits: torch.Tensor | float = 0.0  # since the last log
        self._tokens = 0

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        if return_outputs or not self._at_tokens or "at_tokens" not in inputs:
            given = {name: value for name, value in inputs.items() if name not in token_loss.OWN_INPUTS}
            return super().compute_loss(model, given, return_outputs, num_items_in_batch)  # type: ignore[misc]
        if self.data_collator.shape is not None and "cu_seq_lens_q" in inputs:  # type: ignore[attr-defined]
            regional.any_count(inputs["cu_seq_lens_q"])
        loss, hits, tokens = token_loss.loss_and_hits(model, inputs)
        if model.training:
            self._hits, self._tokens = self._hits + hits, self._tokens + tokens
        else:
            self._metrics["eval"]["mean_token_accuracy"].append(float(hits) / max(1, tokens))  # type: ignore[attr-defined]
        if num_items_in_batch is None:
            return loss / max(1, tokens)
        # The tokens of all devices, whose gradients are averaged.
        return loss / torch.as_tensor(num_items_in_batch).clamp(min=1) * (ranks.size() if model.training else 1)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if self.model.training and "loss" in logs:  # type: ignore[attr-defined]
            hits, tokens = ranks.total(float(self._hits)), ranks.total(float(self._tokens))
            self._hits, self._tokens = 0.0, 0
            if tokens:
                self._metrics["train"]["mean_token_accuracy"] = [hits / tokens]  # type: ignore[attr-defined]
        super().log(logs, start_time)  # type: ignore[misc]


class LanguageTrainer(InParts, _ByToken, _Timed, _Ordered, _WholeCheckpoints, WithTerms, _AtTokens, SFTTrainer):
    """For models that only decode."""

    def _keep_accuracy(self, output: EvalLoopOutput, accuracy: float) -> None:
        self._metrics["eval"]["mean_token_accuracy"] = [accuracy]

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Any, Any, Any]:
        result = super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        tokens = len(inputs["at_tokens"])
        self._batches.append((tokens, result[0].item(), self._metrics["eval"]["mean_token_accuracy"][-1]))
        return result


class TextToTextTrainer(InParts, _ByToken, _Timed, _Ordered, _WholeCheckpoints, Trainer):
    """For models that read one text and write another. Their own loss is the mean over the tokens of one batch; ours is that
    over the tokens of all batches of the step, on all devices, as for a model that only decodes."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.model_accepts_loss_kwargs = True  # count the tokens of a step: `compute_loss` takes care of the rest

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(**inputs)
        loss = outputs.loss
        if num_items_in_batch is not None:
            loss = loss * (inputs["labels"] != -100).sum() * ranks.size() / num_items_in_batch
        return (loss, outputs) if return_outputs else loss

    def _keep_accuracy(self, output: EvalLoopOutput, accuracy: float) -> None:
        assert output.metrics is not None
        output.metrics["eval_mean_token_accuracy"] = accuracy

    @torch.no_grad()
    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Any, Any, Any]:
        inputs = self._prepare_inputs(inputs)
        with self.compute_loss_context_manager():
            outputs = model(**inputs)
        counts = inputs["labels"] != -100
        hits = (outputs.logits.argmax(-1) == inputs["labels"])[counts].float().mean()
        loss = outputs.loss.detach().mean()
        self._batches.append((int(counts.sum()), loss.item(), hits.item()))
        return loss, None, None
