"""Balancing rare categories: what it says it does is what a real training does, on the training rows alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch
from tiny_training import Diary, wish_at
from torch.nn.functional import cross_entropy

from core.data.balancing import class_weights, drawn, rows_a_round
from core.data.encoding import Codec
from core.schemas.jobs import Desired
from core.schemas.recorder import Interrupted
from core.schemas.training import TrainingSpec
from core.training import device, loading
from core.training.balance import weighted_loss, weights_of
from core.training.checkpoints import newest_whole_checkpoint
from core.training.heads import OneOf
from core.training.rows import encode
from core.training.train import train, trainer_of

pytestmark = pytest.mark.usefixtures("one_thread")
COUNTS = {"delivery": 40, "praise": 15, "refund": 5}


def uneven(folder: Path, base: Path, **recipe: Any) -> TrainingSpec:
    spec = tiny.spec_of("classifier, full", folder, base, **{"epochs": 1, **recipe})
    found: list[Any] = []
    for label, n in COUNTS.items():
        found += [e for e in tiny.classification(5, 200) if e.label == label][:n]
    return spec.model_copy(update={"train": tuple(found)})


def prepared(spec: TrainingSpec) -> Any:
    chosen = device.choose("float32", "full")
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    torch.manual_seed(1)
    model = loading.base_model(spec.base_folder, spec.family, chosen.weights, OneOf(spec.labels))
    tokenizer = loading.tokenizer(spec.base_folder)
    return trainer_of(spec, chosen, model, tokenizer, encode(codec, spec), Path(spec.folder))


# -- the arithmetic ----------------------------------------------------------------------------------------------------


def test_weights_follow_the_formula_and_have_a_limit() -> None:
    assert class_weights(COUNTS) == pytest.approx({"delivery": 60 / 120, "praise": 60 / 45, "refund": 60 / 15})
    assert sum(class_weights(COUNTS)[label] * n for label, n in COUNTS.items()) == pytest.approx(60)
    assert class_weights({"often": 9990, "seldom": 10})["seldom"] == 10


def test_rows_a_round_are_those_that_are_drawn() -> None:
    labels = [index for index, n in enumerate((40, 15, 5)) for _ in range(n)]
    for balance, expected in (("none", [40, 15, 5]), ("oversample", [40, 40, 40]), ("undersample", [40, 15, 5])):
        assert list(rows_a_round(COUNTS, balance).values()) == expected  # type: ignore[arg-type]
    assert rows_a_round({"a": 400, "b": 60, "c": 3}, "undersample") == {"a": 50, "b": 50, "c": 3}
    assert rows_a_round({"a": 400, "b": 60, "c": 3}, "oversample") == {"a": 400, "b": 400, "c": 30}

    found = drawn(labels, "oversample", 1)
    assert Counter(labels[i] for i in found) == {0: 40, 1: 40, 2: 40}
    times = Counter(found)
    assert set(times) == set(range(60)) and {times[i] for i in range(55, 60)} == {8}
    assert {times[i] for i in range(40, 55)} == {2, 3}
    assert drawn(labels, "oversample", 1) == found != drawn(labels, "oversample", 2)


def test_the_weighted_loss_is_the_formula() -> None:
    logits, labels = torch.randn(7, 3), torch.tensor([0, 0, 1, 2, 0, 1, 0])
    weights = torch.tensor([0.5, 1.5, 4.0])
    by_hand = sum(float(weights[y]) * -logits[i].log_softmax(-1)[y].item() for i, y in enumerate(labels.tolist())) / 7
    assert weighted_loss(logits, labels, weights).item() == pytest.approx(by_hand, rel=1e-5)
    assert weighted_loss(logits, labels, weights, 14).item() == pytest.approx(by_hand / 2, rel=1e-5)
    assert weights_of([0, 0, 0, 1], 3).tolist() == pytest.approx([4 / 6, 2.0, 0.0])


# -- real trainings ----------------------------------------------------------------------------------------------------


def test_a_training_step_is_weighted_and_an_evaluation_is_not(small_model: Path, tmp_path: Path) -> None:
    trainer = prepared(uneven(tmp_path, small_model, balance="weights"))
    batch = next(iter(trainer.get_train_dataloader()))
    with torch.no_grad():
        logits = trainer.model.eval()(**{k: v for k, v in batch.items() if k != "labels"}).logits
        plain = trainer.compute_loss(trainer.model.eval(), dict(batch)).item()
        trained = trainer.compute_loss(trainer.model.train(), dict(batch)).item()
    assert plain == pytest.approx(cross_entropy(logits, batch["labels"]).item(), rel=1e-5)
    weights = torch.tensor([class_weights(COUNTS)[label] for label in tiny.LABELS])
    assert trained == pytest.approx(weighted_loss(logits, batch["labels"], weights).item(), rel=1e-5)
    assert trained != pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize(("balance", "rows"), [("oversample", 120), ("undersample", 60)])
def test_each_round_reads_the_rows_that_the_screen_names(small_model: Path, tmp_path: Path, balance, rows) -> None:
    spec = uneven(tmp_path, small_model, balance=balance)
    trainer = prepared(spec)
    labels = torch.cat([batch["labels"] for batch in trainer.get_train_dataloader()]).tolist()
    wanted = rows_a_round(COUNTS, balance)
    assert Counter(spec.labels[i] for i in labels) == wanted and len(labels) == rows
    validation = torch.cat(
        [batch["labels"] for batch in trainer.get_eval_dataloader(trainer.eval_dataset["validation"])]
    )
    assert [spec.labels[i] for i in validation.tolist()] == [e.label for e in spec.validation]


def test_validation_is_measured_the_same_whatever_balances_the_training(small_model: Path, tmp_path: Path) -> None:
    """Before the first step, the model is the same: so are all its validation figures."""
    before = []
    for balance in ("none", "weights", "oversample"):
        diary = Diary()
        result = train(uneven(tmp_path / balance, small_model, balance=balance), diary)
        before.append({key: points[0] for key, points in diary.points.items() if 0 in points})
        assert result.steps == (15 if balance == "oversample" else 8)
    assert before[0] and before[0] == before[1] == before[2]


def test_a_balanced_run_that_was_interrupted_ends_as_if_it_had_not_been(small_model: Path, tmp_path: Path) -> None:
    whole = Diary()
    train(uneven(tmp_path / "whole", small_model, balance="oversample", epochs=2), whole)
    spec = uneven(tmp_path / "parts", small_model, balance="oversample", epochs=2)
    first, second = Diary(wish_at(20, Desired.PAUSE)), Diary()
    with pytest.raises(Interrupted):
        train(spec, first)
    found = newest_whole_checkpoint(spec.folder)
    assert found is not None and found[1] == 20
    train(spec.model_copy(update={"resume_from": str(found[0])}), second)
    assert tiny.exact(first, second) == tiny.exact(whole)
