"""Which checkpoints stay: by number, by disk budget, and when the disk is nearly full; the best, newest and pinned always."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_training as tiny
from transformers import TrainerState

from core.data.kept import Saved, for_space, on_disk, too_many
from core.schemas.errors import DiskFull
from core.schemas.recipe import Recipe
from core.training.retention import SPARE, Retention
from core.training.train import train

TEN = [Saved(step, 100) for step in range(10, 110, 10)]


def test_the_newest_ones_stay_and_the_best_and_pinned_beside_them() -> None:
    assert too_many(TEN, {20, 50}, most=2, budget=0) == [10, 30, 40, 60, 70, 80]


def test_a_budget_takes_the_oldest_first_until_it_holds() -> None:
    assert too_many(TEN, {20}, most=10, budget=750) == [10, 30, 40]
    assert too_many(TEN, {20}, most=10, budget=1000) == []


def test_a_budget_never_takes_the_best_the_newest_or_a_pinned_one() -> None:
    assert too_many(TEN, {20, 50}, most=10, budget=1) == [10, 30, 40, 60, 70, 80, 90]


def test_number_and_budget_work_together() -> None:
    assert too_many(TEN, {10}, most=4, budget=300) == [20, 30, 40, 50, 60, 70, 80]


def test_a_full_disk_takes_no_more_than_it_needs_and_never_the_newest() -> None:
    assert for_space(TEN, {20}, 250) == [10, 30, 40]
    assert for_space(TEN, {20}, 0) == []
    assert for_space(TEN, set(), 10**9) == [s.step for s in TEN[:-1]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for step in (10, 20, 30):
        place = tmp_path / f"checkpoint-{step}"
        place.mkdir()
        (place / "model.safetensors").write_bytes(bytes(1000))
    return tmp_path


def state(best: int) -> TrainerState:
    history = [{"step": s, "eval_validation_loss": 1.0 if s == best else 2.0} for s in (10, 20, 30)]
    return TrainerState(global_step=40, log_history=history)


def test_room_is_made_before_a_checkpoint_is_written_and_it_is_told(folder: Path) -> None:
    diary = tiny.Diary()
    diary.checkpoints = {10, 20, 30}
    free = iter([SPARE + 500, SPARE + 1500])
    Retention(Recipe(), diary, folder, free=lambda _: next(free)).make_room(state(best=10), 1000)
    assert [s.step for s in on_disk(folder)] == [10, 30] and diary.checkpoints == {10, 30}
    assert diary.events == [("room", 40, {"steps": [20], "bytes": 1000})]


def test_where_nothing_may_go_the_run_waits_before_anything_is_written(folder: Path) -> None:
    diary = tiny.Diary()
    diary.kept = {20}
    with pytest.raises(DiskFull):
        Retention(Recipe(), diary, folder, free=lambda _: SPARE).make_room(state(best=10), 1000)
    assert [s.step for s in on_disk(folder)] == [10, 20, 30]


def test_with_space_enough_nothing_goes(folder: Path) -> None:
    Retention(Recipe(), tiny.Diary(), folder, free=lambda _: 10**12).make_room(state(best=10), 1000)
    assert len(on_disk(folder)) == 3


def test_a_real_training_keeps_to_its_number_and_keeps_what_is_pinned(tmp_path: Path, small_model: Path) -> None:
    diary = tiny.Diary()
    diary.kept = {3}
    result = train(
        tiny.spec_of(
            "classifier, LoRA", tmp_path, small_model, rows=24, epochs=3, evaluations_per_epoch=3, keep_checkpoints=3
        ),
        diary,
    )
    kept = [s.step for s in on_disk(tmp_path / "checkpoints")]
    assert result.steps == 9
    assert set(kept) == {3, 7, 8, 9, result.best_step} == diary.checkpoints
    removed = [step for kind, _, data in diary.events if kind == "removed" for step in data["steps"]]
    assert sorted([*removed, *kept]) == list(range(1, 10))


def test_a_real_training_on_a_full_disk_stops_before_it_writes(
    tmp_path: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.training import retention

    monkeypatch.setattr(retention.shutil, "disk_usage", lambda folder: type("", (), {"free": 1000}))
    with pytest.raises(DiskFull):
        train(tiny.spec_of("classifier, LoRA", tmp_path, small_model, rows=24, epochs=1), tiny.Diary())
    assert list((tmp_path / "checkpoints").iterdir()) == []
