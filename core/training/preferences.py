"""trl's trainers of preferences: DPO for pairs, KTO for thumbs, with our checkpoints, order and exact validation figures."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from datasets import Dataset
from peft import PeftModel
from transformers.trainer_utils import EvalLoopOutput
from trl import DPOTrainer, KTOConfig, KTOTrainer
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from . import ranks
from .in_parts import InParts
from .trainers import _Ordered, _WholeCheckpoints

REFERENCE = "ref"  # the adapter that trl adds as a frozen copy of the one that is given
ANSWERS = ("chosen_ids", "rejected_ids", "completion_ids")


class _Preferences(_Ordered, _WholeCheckpoints):
    """Rows are encoded already. A figure of a part is the mean over its rows, not over batches of different sizes."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        model: Any = self.model  # type: ignore[attr-defined]
        if isinstance(model, PeftModel) and REFERENCE in model.peft_config:
            # A fresh adapter changes nothing, so the reference is the model with the adapter off, and a copy is waste.
            model.delete_adapter(REFERENCE)

    def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:
        return dataset

    def _lengths(self, rows: Dataset) -> list[int]:
        answers = [rows[name] for name in ANSWERS if name in rows.column_names]
        longest = [max(map(len, ids)) for ids in zip(*answers, strict=True)]
        return [len(prompt) + most for prompt, most in zip(rows["prompt_ids"], longest, strict=True)]

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        self._batches: list[dict[str, tuple[float, float]]] = []  # figure: (weight, mean) of each batch
        # There are no labels to compare with, and the logits of a whole part would not fit into memory.
        output = super().evaluation_loop(dataloader, description, True, ignore_keys, metric_key_prefix)  # type: ignore[misc]
        for name in {name for batch in self._batches for name in batch}:
            counted = [batch[name] for batch in self._batches if name in batch]
            rows = sum(weight for weight, _ in counted)
            output.metrics[f"{metric_key_prefix}_{name}"] = sum(weight * mean for weight, mean in counted) / max(
                1.0, rows
            )
        self._finish(output.metrics, metric_key_prefix)
        return output

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Any, Any, Any]:
        self._metrics["eval"].clear()  # type: ignore[attr-defined]
        result = super().prediction_step(model, inputs, True, ignore_keys)  # type: ignore[misc]
        self._batches.append(self._figures(inputs, float(result[0])))
        return result

    def _figures(self, inputs: dict[str, Any], loss: float) -> dict[str, tuple[float, float]]:
        raise NotImplementedError

    def _finish(self, metrics: dict[str, float], prefix: str) -> None:
        """Work out what follows from the means over the whole part."""
        if self.state.global_step == 0:  # type: ignore[attr-defined]
            metrics.pop(f"{prefix}_preference_accuracy", None)  # nothing has moved: which is ahead is rounding

    def _last(self, name: str) -> float:
        return float(self._metrics["eval"][name][-1])  # type: ignore[attr-defined]


class PairTrainer(InParts, _Preferences, DPOTrainer):
    """Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290). `preference_accuracy` is the share of pairs
    whose better answer has gained more likelihood over the reference than the worse one; before step 1 there is none."""

    def _precompute_ref_logps(self, dataset: Any, *args: Any, **kwargs: Any) -> Dataset:
        self.spread()  # called while the trainer is made, and the model may not fit whole
        if ranks.size() > 1:  # rank 0 writes them where all will look, and not each process in its own temporary folder
            own = dataset._get_cache_file_path
            dataset._get_cache_file_path = lambda fingerprint: ranks.agreed(own(fingerprint))
        return super()._precompute_ref_logps(dataset, *args, **kwargs)

    def _figures(self, inputs: dict[str, Any], loss: float) -> dict[str, tuple[float, float]]:
        rows = len(inputs["input_ids"]) / 2
        return {
            "loss": (rows, loss),
            "preference_accuracy": (rows, self._last("rewards/accuracies")),
            "reward_margin": (rows, self._last("rewards/margins")),
        }


class ThumbTrainer(InParts, _Preferences, KTOTrainer):
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024, arXiv 2402.01306)."""

    def _figures(self, inputs: dict[str, Any], loss: float) -> dict[str, tuple[float, float]]:
        rows, liked = len(inputs["label"]), float(inputs["label"].sum())
        found = {"loss": (float(rows), loss)}
        if liked:
            found["reward_liked"] = (liked, self._last("rewards/chosen"))
        if rows - liked:
            found["reward_disliked"] = (rows - liked, self._last("rewards/rejected"))
        return found

    def _finish(self, metrics: dict[str, float], prefix: str) -> None:
        super()._finish(metrics, prefix)
        liked, disliked = (metrics.pop(f"{prefix}_reward_{name}", None) for name in ("liked", "disliked"))
        if liked is not None and disliked is not None:
            metrics[f"{prefix}_reward_margin"] = liked - disliked


class ThumbCollator(DataCollatorForUnpairedPreference):
    """KTO measures how far the model has moved on answers to other questions: each row's is that of its neighbour in the
    batch. Paired here and not beforehand, so that it holds whatever order the rows are read in; two and two, so that one
    batch on each of two devices has the pairs of one batch twice as large."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        others = [examples[i] for i in neighbours(len(examples))]
        rows = [
            {**row, "KL_completion_ids": other["completion_ids"]} for row, other in zip(examples, others, strict=True)
        ]
        return super().torch_call(rows)


def neighbours(count: int) -> list[int]:
    """For each row of a batch another one, each taken once: 0 and 1 are each other's, 2 and 3, ...; the last three go round.
    A single row has only itself."""
    order = [i ^ 1 for i in range(count - count % 2)]
    if count % 2:
        order = [*order[:-2], count - 2, count - 1, count - 3] if count > 1 else [0]
    return order


def thumb_trainer(args: KTOConfig, common: dict[str, Any], pad: int) -> ThumbTrainer:
    """Full fine-tuning keeps a frozen copy as reference: KTO asks it about pairings that only the batch knows."""
    model = common["model"]
    frozen = None if isinstance(model, PeftModel) else deepcopy(model).eval().requires_grad_(False)
    return ThumbTrainer(args=args, ref_model=frozen, data_collator=ThumbCollator(pad_token_id=pad), **common)
