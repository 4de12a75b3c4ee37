"""Methods of fine-tuning: each is a file, offered in the form, refused where it cannot run, and trains what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_training import Diary, spec_of

from core import methods
from core.data.make_fit import make_fit
from core.schemas.errors import UserError
from core.schemas.methods import Method
from core.schemas.models import Fit
from core.schemas.recipe import Recipe
from core.training import loading
from core.training.balance import weighted_loss
from core.training.heads import OneOf
from core.training.train import train
from core.ui.forms import settings_of

pytestmark = pytest.mark.usefixtures("one_thread")
ADAPTERS = [key for key, method in methods.registry().items() if method.adapter and not method.needs_gpu]


def trained(folder: Path, base: Path, kind: str = "classifier, full", **recipe: Any) -> tuple[Diary, Path]:
    diary = Diary()
    spec = spec_of(kind, folder, base, rows=24, **{"epochs": 1, "evaluations_per_epoch": 1, **recipe})
    train(spec, diary)
    return diary, folder / "model"


def test_the_form_offers_every_method_by_its_title() -> None:
    options = settings_of(Recipe)["method"].options
    assert options == {key: method.title for key, method in methods.registry().items()}
    assert next(iter(options)) == "lora"


@pytest.mark.parametrize("key", ADAPTERS)
def test_an_adapter_learns_beside_weights_that_stay(key: str, small_model: Path, tmp_path: Path) -> None:
    diary, model = trained(tmp_path, small_model, "chat, LoRA", method=key, learning_rate=2e-2)
    curve = diary.points["validation", "loss"]
    assert curve[max(curve)] < curve[0]
    tuned, _, facts = loading.tuned_model(model)
    assert facts["method"] == key
    assert (model / "adapter_config.json").exists()
    before = load_file(small_model / "model.safetensors")["model.layers.0.self_attn.q_proj.weight"]
    after = dict(tuned.named_parameters())["base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight"]
    assert torch.equal(before, after)


def test_a_base_model_that_was_made_for_other_categories_gets_a_fresh_head(small_model: Path, tmp_path: Path) -> None:
    two = loading.base_model(small_model, "classifier", torch.float32, OneOf(("good", "bad")))
    two.save_pretrained(tmp_path)
    loading.tokenizer(small_model).save_pretrained(tmp_path)
    three = loading.base_model(tmp_path, "classifier", torch.float32, OneOf(("a", "b", "c")))
    assert three.score.weight.shape[0] == 3
    assert torch.equal(three.model.embed_tokens.weight, two.model.embed_tokens.weight)
    config = tmp_path / "config.json"
    said = json.loads(config.read_text())
    config.write_text(json.dumps({**said, "intermediate_size": said["intermediate_size"] * 2}))
    with pytest.raises(UserError, match="cannot be loaded"):
        loading.base_model(tmp_path, "classifier", torch.float32, OneOf(("a", "b", "c")))


@pytest.mark.parametrize("scheduler", ["constant", "linear"])
def test_the_learning_rate_rises_through_the_warm_up_whatever_follows(
    scheduler: str, small_model: Path, tmp_path: Path
) -> None:
    diary, _ = trained(tmp_path, small_model, scheduler=scheduler, warmup=0.5, epochs=2)
    rates = diary.points["batch", "learning_rate"]
    assert rates[1] < rates[2] < rates[3]
    assert (rates[max(rates)] == rates[4]) == (scheduler == "constant")


def test_the_kinds_of_lora_differ_in_what_they_learn(small_model: Path) -> None:
    kinds = {}
    for key in ADAPTERS:
        model = loading.base_model(small_model, "causal-lm", torch.float32)
        kinds[key] = loading.prepared(model, "causal-lm", Recipe(method=key, lora_rank=4)).peft_config["default"]
    assert kinds["dora"].use_dora and not kinds["lora"].use_dora
    assert kinds["rslora"].use_rslora and not kinds["lora"].use_rslora


def test_frozen_layers_and_the_word_table_keep_their_weights(small_model: Path, tmp_path: Path) -> None:
    _, model = trained(tmp_path, small_model, frozen_layers=1)
    before, after = load_file(small_model / "model.safetensors"), load_file(model / "model.safetensors")
    same = {name for name in before if name in after and torch.equal(before[name], after[name])}
    assert "model.embed_tokens.weight" in same
    assert {n for n in before if n.startswith("model.layers.0.")} <= same
    assert not {n for n in before if n.startswith("model.layers.1.") and n.endswith("proj.weight")} & same


def test_freezing_more_layers_than_there_are_is_refused_with_their_number(small_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 layers, and 3"):
        trained(tmp_path, small_model, frozen_layers=3)


def test_computing_twice_gives_the_same_losses(small_model: Path, tmp_path: Path) -> None:
    plain, _ = trained(tmp_path / "plain", small_model, "completion, full, packed")
    twice, _ = trained(tmp_path / "twice", small_model, "completion, full, packed", activation_checkpointing=True)
    assert twice.points["batch", "loss"] == pytest.approx(plain.points["batch", "loss"], rel=1e-5)
    assert twice.points["validation", "loss"] == pytest.approx(plain.points["validation", "loss"], rel=1e-5)


def test_noise_on_the_input_is_there_in_training_and_gone_in_evaluation(small_model: Path, tmp_path: Path) -> None:
    plain, _ = trained(tmp_path / "plain", small_model, "completion, full, packed")
    noisy, _ = trained(tmp_path / "noisy", small_model, "completion, full, packed", neftune_alpha=10.0)
    assert noisy.points["batch", "loss"][1] != plain.points["batch", "loss"][1]
    assert noisy.points["validation", "loss"][0] == plain.points["validation", "loss"][0]


def test_label_smoothing_is_the_published_formula_and_only_in_training(small_model: Path, tmp_path: Path) -> None:
    logits, labels = torch.randn(6, 4, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 2, 3, 0, 1])
    log_p = logits.log_softmax(-1)
    nll = -log_p[torch.arange(6), labels]
    expected = (0.9 * nll + 0.1 * -log_p.mean(-1)).mean()
    assert weighted_loss(logits, labels, None, smoothing=0.1) == pytest.approx(float(expected), rel=1e-5)
    plain, _ = trained(tmp_path / "plain", small_model)
    smooth, _ = trained(tmp_path / "smooth", small_model, label_smoothing=0.3)
    assert smooth.points["batch", "loss"][1] != plain.points["batch", "loss"][1]
    assert smooth.points["validation", "loss"][0] == plain.points["validation", "loss"][0]


def test_qlora_is_refused_without_a_graphics_card_and_an_unknown_method_by_name() -> None:
    assert "NVIDIA" in methods.unavailable(methods.get("qlora"), "cpu")
    assert methods.unavailable(methods.get("lora"), "cpu") == ""
    with pytest.raises(UserError, match="none called 'magic'"):
        methods.get("magic")


ALL: dict[str, Method] = {key: methods.get(key) for key in ("full", "lora", "qlora")}


def fitting(needed: dict[str, int], available: int) -> Any:
    """A stand-in for the memory formula: bytes a row by method, a third where it computes twice."""

    def fit(recipe: Recipe) -> Fit:
        n = 100 * recipe.batch_size // (3 if recipe.activation_checkpointing else 1) + needed[recipe.method]
        return Fit(
            verdict="fits" if n <= available else "does not fit", needed=n, available=available, device="", parts={}
        )

    return fit


NEEDED = {"full": 1000, "lora": 400, "qlora": 100}


def test_what_fits_is_left_alone() -> None:
    recipe = Recipe(method="full", batch_size=8)
    assert make_fit(recipe, ALL, fitting(NEEDED, 2000)).recipe == recipe


def test_smaller_batches_come_first_and_keep_the_effective_batch() -> None:
    found = make_fit(Recipe(method="full", batch_size=8), ALL, fitting(NEEDED, 1250))
    assert (found.recipe.batch_size, found.recipe.effective_batch_size, found.recipe.method) == (2, 8, "full")
    assert not found.recipe.activation_checkpointing
    assert len(found.changes) == 1 and "result is the same" in found.changes[0]


def test_then_computing_twice_then_lora_then_four_bits() -> None:
    recipe = Recipe(method="full", batch_size=8)
    assert make_fit(recipe, ALL, fitting(NEEDED, 1050)).recipe.activation_checkpointing
    lora = make_fit(recipe, ALL, fitting(NEEDED, 450))
    assert lora.recipe.method == "lora" and lora.fits
    assert make_fit(recipe, ALL, fitting(NEEDED, 150)).recipe.method == "qlora"
    without = {key: ALL[key] for key in ("full", "lora")}
    assert not make_fit(recipe, without, fitting(NEEDED, 150)).fits


def test_an_odd_batch_never_loses_rows_of_its_effective_batch() -> None:
    found = make_fit(Recipe(method="lora", batch_size=7), ALL, fitting(NEEDED, 500))
    assert (found.recipe.batch_size, found.recipe.effective_batch_size) == (1, 7)


@pytest.mark.parametrize("key", ADAPTERS)
def test_an_adapter_on_a_bf16_model_reads_its_input_as_it_is_with_the_same_numbers(
    key: str, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """peft's copy of every input in float32 is spared, and what autocast makes of it is the same, bit by bit."""
    monkeypatch.setattr(loading, "quicken", lambda model: None)

    def found(spared: bool) -> tuple[torch.Tensor, list[torch.Tensor], set[torch.dtype]]:
        if not spared:
            monkeypatch.setattr(loading, "spare_casts", lambda model: None)
        torch.manual_seed(1)
        base = loading.base_model(small_model, "causal-lm", torch.bfloat16)
        model = loading.prepared(base, "causal-lm", Recipe(method=key, lora_dropout=0.0))
        seen: set[torch.dtype] = set()
        for name, module in model.named_modules():
            if name.endswith("lora_A.default"):
                torch.nn.init.normal_(module.weight, std=0.1)
                module.register_forward_pre_hook(lambda _, given: seen.add(given[0].dtype))
            if name.endswith("lora_B.default"):
                torch.nn.init.normal_(module.weight, std=0.1)
        ids = torch.arange(5, 25)[None]
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        learned = [p.grad for p in model.parameters() if p.grad is not None]
        assert learned and all(p.dtype is torch.float32 for p in learned)
        return loss.detach(), learned, seen

    ours, gradients, read = found(True)
    plain, expected, copied = found(False)
    assert copied <= {torch.float32} and (
        torch.bfloat16 in read or key == "dora"
    )  # DoRA goes its own way, and keeps the copy
    assert torch.equal(ours, plain)
    assert all(torch.equal(a, b) for a, b in zip(gradients, expected, strict=True))
