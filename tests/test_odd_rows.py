"""Rows with nothing or hardly anything in them, and losses that are no number: skipped with counts, or stopped in words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
from tiny_training import Diary

from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.training.best import best_evaluation, value_at
from core.training.checkpoints import newest_whole_checkpoint
from core.training.train import train
from core.training.trainers import ClassifierTrainer

pytestmark = pytest.mark.usefixtures("one_thread")


def labelled(text: str, n: int) -> Example:
    return Example(row_id=f"odd-{n}", text=text, label="praise")


def plain(text: str, n: int) -> Example:
    return Example(row_id=f"odd-{n}", text=text)


def answered(text: str, n: int) -> Example:
    asked = Message(role="user", content="a")
    return Example(row_id=f"odd-{n}", messages=(asked, Message(role="assistant", content=text)))


@pytest.mark.parametrize(
    ("kind", "make", "skipped"),
    [
        ("classifier, full", labelled, 2),
        ("completion, full, packed", plain, 1),  # blanks are a text, too
        ("chat, LoRA", answered, 0),  # an empty answer still teaches where an answer ends
    ],
)
def test_empty_rows_are_skipped_and_counted_and_rows_of_one_token_teach_without_harm(
    small_model: Path, tmp_path: Path, kind: str, make: Any, skipped: int
) -> None:
    odd = [make(text, n) for n, text in enumerate(("", "  \n", "a", "b", "!"))]
    spec = tiny.spec_of(kind, tmp_path, small_model, rows=12, epochs=1, evaluations_per_epoch=1, batch_size=1)
    spec = spec.model_copy(update={"train": (*spec.train, *odd), "validation": (*spec.validation, *odd)})
    diary = Diary()
    result = train(spec, diary)
    assert result.dropped == {"train": skipped, "validation": skipped}
    for split in ("batch", "validation", "train"):
        assert all(math.isfinite(loss) for loss in diary.points[split, "loss"].values()), split


def test_an_evaluation_that_is_no_number_is_never_the_best_even_where_the_batches_are_well(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model)
    real = ClassifierTrainer.compute_loss

    def breaking(self: Any, model: Any, inputs: Any, return_outputs: bool = False, **kwargs: Any) -> Any:
        found = real(self, model, inputs, return_outputs, **kwargs)
        broken = not model.training and self.state.global_step >= 8
        return (found[0] * math.nan, found[1]) if broken and return_outputs else found

    monkeypatch.setattr(ClassifierTrainer, "compute_loss", breaking)
    diary = Diary()
    with pytest.raises(UserError, match="unstable at step 8"):
        train(spec, diary)
    kept = newest_whole_checkpoint(tmp_path)
    assert kept is not None and kept[1] == 4 and diary.checkpoints == {4}
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("metric", ["eval_loss", "accuracy"])
def test_a_figure_that_is_no_number_is_passed_over(metric: str, higher: bool) -> None:
    name = {"eval_loss": "eval_validation_loss", "accuracy": "eval_validation_accuracy"}[metric]
    rows = [{"step": s, "eval_validation_loss": 1.0, name: v} for s, v in ((4, math.nan), (8, 0.5), (12, math.nan))]
    best = best_evaluation(rows, metric, higher)
    assert best is not None and (best.step, best.value, best.since) == (8, 0.5, 1)
    assert best_evaluation(rows[:1], metric, higher) is None


def test_the_figure_of_a_checkpoint_is_that_of_validation_and_not_of_the_training_rows_beside_it() -> None:
    rows = [
        {"step": 5, "eval_validation_loss": 2.0, "eval_mean_token_accuracy": 0.4},
        {"step": 5, "eval_train_sample_loss": 1.0, "eval_mean_token_accuracy": 0.9},
    ]
    assert value_at(rows, 5, "token_accuracy") == 0.4
