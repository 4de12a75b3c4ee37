"""A model shared out over two real processes (on the processor, over gloo) learns as one that is whole."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import ready_processes
import small_pairs
import tiny_training as tiny
import torch
from safetensors.torch import load_file

from core import methods
from core.data import cost, hardware
from core.data.make_fit import make_fit
from core.schemas.errors import UserError
from core.schemas.jobs import Desired
from core.schemas.models import ModelFacts
from core.schemas.recipe import Recipe
from core.schemas.recorder import Interrupted
from core.schemas.training import TrainingSpec
from core.services import recipes
from core.training import dry_run, predictors, ranks, watch
from core.training.checkpoints import newest_whole_checkpoint
from core.training.train import train

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("one_thread", "ready")]
ready = ready_processes.ready
ONE = {"devices": 1, "batch_size": 8}
TWO = {"devices": 2, "batch_size": 4}
PARTS = {**TWO, "sharding": "full"}
CURVES = [("batch", "loss"), ("batch", "grad_norm"), ("validation", "loss"), ("train", "loss")]
MARGIN = ("validation", "reward_margin")


def spec_of(kind: str, folder: Path, base: Path, **recipe: object) -> TrainingSpec:
    folder.mkdir(parents=True)
    recipe = {"epochs": 1, "evaluations_per_epoch": 1, "lora_dropout": 0.0, **recipe}
    if kind in tiny.PREFERENCES:
        return tiny.preference_spec(kind, folder, base, rows=32, **recipe)
    if kind == "text to text":
        spec = tiny.spec_of("chat, LoRA", folder, base, rows=32, **{**recipe, "method": "full", "learning_rate": 3e-3})
        return spec.model_copy(update={"family": "seq2seq"})
    return tiny.spec_of(kind, folder, base, rows=32, **recipe)


@pytest.fixture(scope="module")
def bases(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    pairs = small_pairs.build(tmp_path_factory.mktemp("pairs"))
    return lambda kind: pairs if kind == "text to text" else small_model


@pytest.fixture
def compared(bases: Callable[[str], Path], tmp_path: Path) -> Callable[..., TrainingSpec]:
    """Train `kind` on one device and with these settings, hold the curves against each other, and give the second spec."""

    def compare(kind: str, settings: dict[str, object]) -> TrainingSpec:
        one, two = tiny.Diary(), tiny.Diary()
        train(spec_of(kind, tmp_path / "one", bases(kind), **ONE), one)
        spec = spec_of(kind, tmp_path / "two", bases(kind), **settings)
        train(spec, two)
        assert ranks.size() == 1
        for split, name in CURVES + ([MARGIN] if kind in tiny.PREFERENCES else []):
            expected, found = one.points[split, name], two.points[split, name]
            assert list(found) == list(expected) and found, "each point is recorded once"
            # What KTO compares with depends on the batch, and an evaluation of two devices has smaller ones.
            rel = 0.1 if kind.startswith("thumbs") and split != "batch" and name == "loss" else 2e-3
            assert list(found.values()) == pytest.approx(list(expected.values()), rel=rel, abs=1e-4), (split, name)
        first, second = (weights(tmp_path / name / "model") for name in ("one", "two"))
        assert {k: w.shape for k, w in second.items()} == {k: w.shape for k, w in first.items()}
        assert all(torch.allclose(second[name], first[name], rtol=1e-2, atol=1e-3) for name in first)
        return spec

    return compare


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = folder.glob("*.safetensors")
    return load_file(file)


@pytest.mark.parametrize("kind", ["pairs, full", "thumbs, LoRA"])
def test_two_whole_models_learn_as_one_with_batches_twice_as_large(kind: str, compared: Callable[..., object]) -> None:
    compared(kind, TWO)


@pytest.mark.parametrize("kind", ["classifier, full", "text to text", "pairs, LoRA", "thumbs, full"])
def test_a_model_in_parts_learns_as_a_whole_one(kind: str, compared: Callable[..., TrainingSpec]) -> None:
    spec = compared(kind, {**PARTS, "batch_size": 2, "accumulation": 2} if kind == "classifier, full" else PARTS)
    folder = Path(spec.folder) / "model"
    if kind == "classifier, full":
        assert json.loads((folder / "config.json").read_text())["architectures"] == ["LlamaForSequenceClassification"]
        said = predictors.from_folder(folder, spec.plan).classify([e.text for e in spec.validation])
        right = [e.label == spec.labels[row.index(max(row))] for e, row in zip(spec.validation, said, strict=True)]
        assert sum(right) > 0.9 * len(right), "the published model loads and knows what it was taught"


def test_a_paused_training_in_parts_ends_with_the_same_bits_as_one_left_alone(
    bases: Callable[[str], Path], tmp_path: Path
) -> None:
    kind = "classifier, LoRA"  # an adapter, and a head that is saved whole
    alone, paused = (spec_of(kind, tmp_path / name, bases(kind), **PARTS) for name in ("alone", "paused"))
    whole, first, second = tiny.Diary(), tiny.Diary(tiny.wish_at(3, Desired.PAUSE)), tiny.Diary()
    train(alone, whole)
    with pytest.raises(Interrupted):
        train(paused, first)
    found = newest_whole_checkpoint(tmp_path / "paused")
    assert found is not None and found[1] == 3
    train(paused.model_copy(update={"resume_from": str(found[0])}), second)
    assert tiny.exact(first, second) == tiny.exact(whole)
    expected, got = weights(tmp_path / "alone" / "model"), weights(tmp_path / "paused" / "model")
    assert expected.keys() == got.keys() and all(torch.equal(got[name], expected[name]) for name in expected)


def test_a_checkpoint_does_not_know_how_many_devices_made_it(bases: Callable[[str], Path], tmp_path: Path) -> None:
    kind = "classifier, full"
    alone, moved = (spec_of(kind, tmp_path / name, bases(kind), **ONE) for name in ("alone", "moved"))
    train(alone, whole := tiny.Diary())
    parts = moved.model_copy(update={"recipe": moved.recipe.model_copy(update=PARTS)})
    with pytest.raises(Interrupted):
        train(parts, tiny.Diary(tiny.wish_at(3, Desired.PAUSE)))
    found = newest_whole_checkpoint(tmp_path / "moved")
    assert found is not None
    train(moved.model_copy(update={"resume_from": str(found[0])}), after := tiny.Diary())
    rest = {step: value for step, value in whole.points["batch", "loss"].items() if step > 3}
    assert after.points["batch", "loss"] == pytest.approx(rest, rel=2e-3)


def test_a_measurement_of_a_model_in_parts_is_made_in_parts(bases: Callable[[str], Path], tmp_path: Path) -> None:
    spec = spec_of("classifier, full", tmp_path / "run", bases(""), **PARTS, activation_checkpointing=True)
    diary = tiny.Diary()
    measured = dry_run.measure(spec, diary)
    assert measured.seconds_per_step > 0 and measured.tokens_per_second > 0 and ranks.size() == 1


DIES = """
import os, signal
from core.training import ranks
seen, real = [], ranks.Together.wish
def wish(self):
    seen.append(0)
    if len(seen) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self)
ranks.Together.wish = wish
"""


def test_a_device_that_dies_ends_the_training_with_a_clear_error(
    bases: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranks, "_started", ready_processes.started(DIES))
    diary = tiny.Diary()
    with pytest.raises(UserError, match="broke off on one of the devices"):
        train(spec_of("chat, LoRA", tmp_path / "run", bases(""), **PARTS), diary)
    assert diary.step <= 3 and ranks.size() == 1


def test_what_rank_0_waits_for_is_broken_off_where_another_process_died(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "TO_NOTICE", 0.05)
    broken_off = threading.Event()
    monkeypatch.setattr(watch, "break_off", broken_off.set)
    processes = [subprocess.Popen([sys.executable, "-c", f"raise SystemExit({status})"]) for status in (0, 3)]
    well = watch.Watch(processes[:1])
    processes[0].wait()
    assert not well.broken and not broken_off.is_set()
    ill = watch.Watch(processes[1:])
    assert broken_off.wait(60) and ill.broken, "over NCCL nobody else would say so"
    well.end()
    ill.end()


FACTS = ModelFacts.model_construct(
    parameters=7_000_000_000, embedding_parameters=260_000_000, layers=32, hidden_size=4096, intermediate_size=11008,
    heads=32, key_value_heads=32, vocabulary=32000,
)  # fmt: skip


def test_the_estimate_counts_the_share_of_each_device() -> None:
    full, parts = methods.get("full"), {}
    for name, settings in {"one": ONE, "two": TWO, "parts": PARTS, "four": {**PARTS, "devices": 4}}.items():
        recipe = Recipe(method="full", **{**settings, "batch_size": 4})
        parts[name] = cost.memory_parts(FACTS, recipe, full, 512, False, "cuda")
    states = "gradients and optimizer"
    assert (
        parts["two"]["model weights"] == parts["one"]["model weights"] and parts["two"][states] > parts["one"][states]
    )
    assert parts["one"]["model weights"] / 2 < parts["parts"]["model weights"] < 0.7 * parts["one"]["model weights"]
    assert parts["four"][states] < 0.6 * parts["parts"][states]
    assert parts["parts"]["activations"] == parts["one"]["activations"]


def test_a_model_that_fits_no_single_device_is_made_to_fit_in_parts(
    storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = hardware.look(storage).model_copy(update={"device": "cuda", "devices": 4, "gpu_memory": 48 * 2**30})
    able = {key: methods.get(key) for key in ("full", "lora", "qlora")}
    recipe = Recipe(method="full", batch_size=8, accumulation=2)

    def fitted(devices: int) -> Recipe:
        fit = lambda r: cost.fit(FACTS, r, able[r.method], 512, False, machine)  # noqa: E731
        return make_fit(recipe, able, fit, devices).recipe

    alone, spread = fitted(1), fitted(4)
    assert alone.method != "full" and (alone.devices, alone.sharding) == (1, "none")
    assert (spread.method, spread.devices, spread.sharding) == ("full", 4, "full")
    assert spread.effective_batch_size == recipe.effective_batch_size
    monkeypatch.setattr(hardware, "look", lambda folder=None: machine)
    monkeypatch.setattr(methods, "unavailable", lambda method, device: "")
    recipes.check(spread, "classification")
    with pytest.raises(UserError, match="4 bits"):
        recipes.check(spread.model_copy(update={"method": "qlora"}), "classification")
