"""transformers' Trainer and trl's SFTTrainer with checkpoints that are whole or absent, and counted tokens."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer
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


class ClassifierTrainer(_WholeCheckpoints, Trainer):
    pass


class LanguageTrainer(_WholeCheckpoints, SFTTrainer):
    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """trl writes a card into every checkpoint; ours is written once, with figures, at the export."""
