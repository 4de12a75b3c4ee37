"""What a Trainer does otherwise where its model is in parts (`sharding`): place it, evaluate it, save and resume it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch.distributed.tensor import DTensor
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME

from . import ranks, sharding


class InParts:
    """`in_parts` is given to the constructor; where it is False nothing here does anything.

    The libraries' own way would write the weights a second time, in a format of its own, into each checkpoint, and cannot
    evaluate before the first step. So they are told that the model looks after its placement and its gradients itself, as one
    does that they loaded in parts.
    """

    def __init__(self, *args: Any, in_parts: bool = False, **given: Any) -> None:
        self.in_parts = in_parts
        self._spread = False
        super().__init__(*args, **given)
        self.spread()

    def spread(self) -> None:
        """Put the model's parts onto their devices, once."""
        if not self.in_parts or self._spread:
            return
        self._spread = True
        for model in (self.model, getattr(self, "ref_model", None)):  # type: ignore[attr-defined]
            if model is not None:
                sharding.shard(model, self.args.device.type)  # type: ignore[attr-defined]
        self.accelerator.device_placement = True  # type: ignore[attr-defined]
        self.is_distributed_loading_by_transformers = True

    def create_accelerator_and_postprocess(self) -> None:
        super().create_accelerator_and_postprocess()  # type: ignore[misc]
        if self.in_parts:
            self.accelerator.device_placement = False  # type: ignore[attr-defined]  # whole, it may not fit

    def _move_model_to_device(self, model: Any, device: torch.device) -> None:
        if not self.in_parts:
            super()._move_model_to_device(model, device)  # type: ignore[misc]

    def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        if self.in_parts:
            sharding.settle(self.model)  # type: ignore[attr-defined]  # it is to move the parts
        return super().create_optimizer(*args, **kwargs)  # type: ignore[misc]

    def _defer_fsdp_gradient_reduction(self) -> AbstractContextManager[None]:
        return nullcontext()  # sent after every batch: kept until the step's last one, gradients would be whole

    def _clip_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        norm = super()._clip_grad_norm(*args, **kwargs)  # type: ignore[misc]
        return norm.full_tensor() if isinstance(norm, DTensor) else norm

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if self.in_parts:
            state_dict = sharding.whole(sharding.learned(self.model))  # type: ignore[attr-defined]
        if not self.in_parts or ranks.first():
            super()._save(output_dir, state_dict)  # type: ignore[misc]

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.in_parts:
            super()._save_optimizer_and_scheduler(output_dir)  # type: ignore[misc]
            return
        state = sharding.whole(self.optimizer.state_dict())  # type: ignore[attr-defined]
        if ranks.first():
            torch.save(state, Path(output_dir) / OPTIMIZER_NAME)
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER_NAME)  # type: ignore[attr-defined]

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if not self.in_parts:
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
            return
        sharding.load(self.model, resume_from_checkpoint)  # type: ignore[attr-defined]

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if not self.in_parts or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[misc]
            return
        # Mapped, not read: of each number a process needs its part alone.
        state = torch.load(Path(checkpoint) / OPTIMIZER_NAME, map_location="cpu", weights_only=True, mmap=True)
        self.optimizer.load_state_dict(sharding.in_parts(state, self.optimizer))  # type: ignore[attr-defined]
        state = torch.load(Path(checkpoint) / SCHEDULER_NAME, map_location="cpu", weights_only=True)
        self.lr_scheduler.load_state_dict(state)  # type: ignore[attr-defined]
