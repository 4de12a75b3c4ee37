"""Two real processes train one model together (on the processor, over gloo), as two graphics cards would."""

from __future__ import annotations

from pathlib import Path

import pytest
import ready_processes
import tiny_training as tiny
import torch
from safetensors.torch import load_file
from torch import distributed

from core.data import hardware
from core.schemas.errors import UserError
from core.schemas.jobs import Desired
from core.schemas.recipe import Recipe
from core.schemas.recorder import Interrupted
from core.schemas.training import TrainingSpec
from core.services import recipes
from core.training import dry_run, ranks
from core.training.checkpoints import newest_whole_checkpoint
from core.training.train import train

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("one_thread")]
ready = ready_processes.ready


def spec_of(kind: str, folder: Path, base: Path, devices: int, batch: int) -> TrainingSpec:
    folder.mkdir(parents=True)
    # 32 rows: a whole number of batches, so that one device and two see the same rows at each step.
    recipe = {"devices": devices, "batch_size": batch, "epochs": 2, "evaluations_per_epoch": 2, "lora_dropout": 0.0}
    return tiny.spec_of(kind, folder, base, rows=32, **recipe)


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("kind", ["classifier, full", "chat, LoRA"])
def test_two_devices_learn_what_one_learns_with_batches_twice_as_large(
    kind: str, small_model: Path, tmp_path: Path
) -> None:
    one, two = tiny.Diary(), tiny.Diary()
    alone = train(spec_of(kind, tmp_path / "one", small_model, 1, 8), one)
    together = train(spec_of(kind, tmp_path / "two", small_model, 2, 4), two)
    assert not distributed.is_initialized() and ranks.size() == 1
    assert (together.steps, together.train_tokens, together.ended) == (alone.steps, alone.train_tokens, "done")
    accuracy = "accuracy" if kind.startswith("classifier") else "token_accuracy"
    curves = [(split, name) for split in ("validation", "train") for name in ("loss", accuracy)]
    for split, name in [*curves, ("batch", "loss"), ("batch", "grad_norm")]:
        expected, found = one.points[split, name], two.points[split, name]
        assert list(found) == list(expected), "each point is recorded once"
        assert list(found.values()) == pytest.approx(list(expected.values()), rel=2e-3), (split, name)
    assert not list((tmp_path / "two").glob(".ranks-*")) and list((tmp_path / "two" / "model").glob("*.safetensors"))
    assert not list((tmp_path / "two" / "model").glob("rng_state*"))


@pytest.mark.usefixtures("ready")
def test_a_training_of_two_devices_paused_in_its_second_epoch_ends_with_the_same_bits_as_one_left_alone(
    small_model: Path, tmp_path: Path
) -> None:
    kind = "chat, LoRA"
    alone = spec_of(kind, tmp_path / "alone", small_model, 2, 4)
    whole = train(alone, tiny.Diary())
    paused = spec_of(kind, tmp_path / "paused", small_model, 2, 4)
    with pytest.raises(Interrupted):
        train(paused, tiny.Diary(lambda step: Desired.PAUSE if step == 5 else Desired.RUN))
    found = newest_whole_checkpoint(tmp_path / "paused")
    assert found is not None and found[1] == 5 and (found[0] / "rng_state_1.pth").exists()
    result = train(paused.model_copy(update={"resume_from": str(found[0])}), tiny.Diary())
    assert result.train_tokens == whole.train_tokens
    first, second = (load_file(tmp_path / name / "model" / "adapter_model.safetensors") for name in ("paused", "alone"))
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


FAILS = """
from core.training import follower, train
from core.training.faults import out_of_memory

def fail(spec):
    raise out_of_memory(spec.recipe)

train.take_part = fail
follower.main()
"""


def test_what_fails_in_another_process_is_said_and_nothing_hangs(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "FOLLOWER", ("-c", FAILS))
    with pytest.raises(UserError) as caught:
        train(spec_of("classifier, full", tmp_path / "two", small_model, 2, 4), tiny.Diary())
    assert caught.value.action == "smaller_batch" and not distributed.is_initialized()
    monkeypatch.setattr(ranks, "FOLLOWER", ("-c", "raise SystemExit(1)"))
    with pytest.raises(UserError, match="broke off on one of the devices"):
        train(spec_of("classifier, full", tmp_path / "again", small_model, 2, 4), tiny.Diary())


@pytest.mark.parametrize("kind", ["classifier, full", "chat, LoRA"])
def test_batches_that_are_added_up_give_what_one_large_batch_gives(
    kind: str, small_model: Path, tmp_path: Path
) -> None:
    whole, parts = tiny.Diary(), tiny.Diary()
    one = spec_of(kind, tmp_path / "whole", small_model, 1, 8)
    train(one, whole)
    recipe = one.recipe.model_copy(update={"batch_size": 2, "accumulation": 4})
    (tmp_path / "parts").mkdir()
    train(one.model_copy(update={"recipe": recipe, "folder": str(tmp_path / "parts")}), parts)
    for name in ("loss", "grad_norm"):
        found = list(parts.points["batch", name].values())
        assert found == pytest.approx(list(whole.points["batch", name].values()), rel=1e-3), name


def test_devices_are_asked_for_only_where_there_are_several(monkeypatch: pytest.MonkeyPatch, storage: Path) -> None:
    recipe, here = Recipe(devices=2), hardware.look(storage)
    for devices, refused in ((1, True), (2, False)):
        found = here.model_copy(update={"device": "cuda", "devices": devices})
        monkeypatch.setattr(hardware, "look", lambda folder=None, found=found: found)
        assert ("devices" in recipes.unused("classification", {})) == refused
        if refused:
            with pytest.raises(UserError, match="not so many devices"):
                recipes.check(recipe, "classification")
        else:
            recipes.check(recipe, "classification")
            recipes.check(recipe, "preference")
    assert recipe.effective_batch_size == 16


def test_a_measurement_before_the_start_needs_one_device_only(small_model: Path, tmp_path: Path) -> None:
    measured = dry_run.measure(spec_of("classifier, full", tmp_path / "two", small_model, 2, 4), tiny.Diary())
    assert measured.seconds_per_step > 0 and not distributed.is_initialized()
