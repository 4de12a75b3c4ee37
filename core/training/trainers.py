"""transformers' Trainer and trl's SFTTrainer with checkpoints that are whole or absent, and exact counts and order."""

from __future__ import annotations

import os
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

CHECKPOINT = "checkpoint-{step}"


class _WholeCheckpoints:
    """Saves into a temporary folder, which gets its manifest and its name only when it is complete.

    The Trainer itself writes straight into the final folder, so that a kill in the middle leaves one that looks whole.
    """

    recorder: Recorder
    _staging: str | None = None
    tokens_seen: torch.Tensor | int = 0

    def _get_output_dir(self, trial: Any) -> str:
        return self._staging or super()._get_output_dir(trial)  # type: ignore[misc]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        step = self.state.global_step  # type: ignore[attr-defined]
        root = Path(self.args.output_dir)  # type: ignore[attr-defined]
        name = CHECKPOINT.format(step=step)
        root.mkdir(parents=True, exist_ok=True)
        self._staging = tempfile.mkdtemp(prefix=".part-", dir=root)
        try:
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
            publish_folder(Path(self._staging) / name, root / name, self.recorder.guard)
        finally:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None
        self.recorder.checkpoint(step, os.path.join(root.name, name), None)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        mask = inputs.get("attention_mask")
        real = inputs["input_ids"].numel() if mask is None else mask.sum()  # a tensor on a GPU: no wait in the step
        self.tokens_seen = self.tokens_seen + real
        return super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]


class SimilarLengths(LengthGroupedSampler):
    """Rows in batches of similar length, in an order that depends on seed and epoch alone.

    The library draws the order from the global generator, whose state at the start of an epoch no checkpoint holds: a
    run that is resumed within an epoch would see some rows twice and others never.
    """

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        super().__init__(batch_size, lengths=lengths)
        self.seed, self.epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        self.generator = torch.Generator().manual_seed(self.seed + self.epoch)
        return iter(super().__iter__())


class ClassifierTrainer(_WholeCheckpoints, Trainer):
    """Takes rows of similar length together, to waste little on padding."""

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> SimilarLengths:
        rows = self.train_dataset if train_dataset is None else train_dataset
        together = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return SimilarLengths(together, [len(ids) for ids in rows["input_ids"]], self.args.data_seed)


class LanguageTrainer(_WholeCheckpoints, SFTTrainer):
    """Evaluates by token: the libraries average over batches, so that a short answer would count more than a long one."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """trl writes a card into every checkpoint; ours is written once, with figures, at the export."""

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        self._batches: list[tuple[int, float, float]] = []  # tokens that count, their mean loss, their accuracy
        output = super().evaluation_loop(dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix)
        tokens = max(1, sum(n for n, _, _ in self._batches))
        output.metrics[f"{metric_key_prefix}_loss"] = sum(n * loss for n, loss, _ in self._batches) / tokens
        self._metrics["eval"]["mean_token_accuracy"] = [sum(n * hits for n, _, hits in self._batches) / tokens]
        return output

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Any, Any, Any]:
        result = super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        tokens = int((inputs["labels"][:, 1:] != -100).sum())
        self._batches.append((tokens, result[0].item(), self._metrics["eval"]["mean_token_accuracy"][-1]))
        return result
