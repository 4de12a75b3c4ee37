"""Regional compile: loss and gradients of the plain path, the same names of weights, and words where it cannot be done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_training as tiny
import torch
from stand_in_flash import on_a_processor

from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.recipe import Recipe
from core.training import compiling, hardware, regional, varlen
from core.training.train import assembled

pytestmark = pytest.mark.usefixtures("one_thread")


def trainer_of(kind: str, folder: Path, base: Path, diary: tiny.Diary, **recipe: Any) -> Any:
    spec = tiny.spec_of(kind, folder, base, rows=24, lora_dropout=0.0, **recipe)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    return assembled(spec, codec, folder / "checkpoints", diary)[0]


def step(trainer: Any) -> tuple[float, torch.Tensor]:
    batch = dict(next(iter(trainer.get_train_dataloader())))
    trainer.model.train().zero_grad()
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    found = {name: p.grad.flatten() for name, p in trainer.model.named_parameters() if p.grad is not None}
    return loss.item(), torch.cat([found[name] for name in sorted(found)])


@pytest.mark.parametrize("kind", ["chat, full, packed", "classifier, LoRA"])
def test_loss_and_gradients_are_those_of_the_plain_path(
    small_model: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traced and split into forward and backward pass as for the real backend, but run without a C++ compiler."""
    monkeypatch.setattr(regional.compile_layers, "__defaults__", ("aot_eager",))
    torch._dynamo.reset()
    plain_diary, diary = tiny.Diary(), tiny.Diary()
    plain = trainer_of(kind, tmp_path, small_model, plain_diary)
    compiled = trainer_of(kind, tmp_path, small_model, diary, compiling="always")
    assert "Compiling the layers" in diary.phases and "Compiling the layers" not in plain_diary.phases
    assert plain.model.state_dict().keys() == compiled.model.state_dict().keys()
    expected, found = step(plain), step(compiled)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0, "nothing was compiled"
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["chat, full, packed", "chat, LoRA"])
def test_batches_of_a_packed_training_are_compiled_once_and_without_a_break(
    small_model: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With torch's own operator for packed rows, in rows of other lengths, and with a last batch of fewer rows; evaluation goes
    through the plain layers. LoRA's first layer, whose input has no gradient, is no case of its own."""
    monkeypatch.setattr(regional.compile_layers, "__defaults__", ("eager",))
    monkeypatch.setattr(varlen, "runs_on", lambda chosen: True)
    torch._dynamo.reset()
    counters = torch._dynamo.utils.counters
    with on_a_processor():
        spec = tiny.spec_of(kind, tmp_path, small_model, rows=24, lora_dropout=0.0, compiling="always", batch_size=2)
        spec = spec.model_copy(update={"plan": spec.plan.model_copy(update={"packing": True})})
        codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
        trainer = assembled(spec, codec, tmp_path / "checkpoints", tiny.Diary())[0]
        assert trainer.model.config._attn_implementation == varlen.NAME
        batches = list(trainer.get_train_dataloader())
        shape = trainer.data_collator.shape
        assert len(trainer.train_dataset) % 2 and len({len(b["cu_seq_lens_q"]) for b in batches}) > 1
        assert {tuple(b["input_ids"].shape) for b in batches} == {(2, shape.width)}
        assert {b["max_length_q"] for b in batches} == {shape.longest}
        counters.clear()
        filled = [compute(trainer, batch) for batch in batches]
        assert counters["stats"]["unique_graphs"] == 1 and not counters["graph_break"]
        trainer.evaluate()
        assert counters["stats"]["unique_graphs"] == 1, "an evaluation was compiled"

        regional.plain_layers(trainer.model)
        trainer.data_collator = replace(trainer.data_collator, shape=None)
        plain = [compute(trainer, batch) for batch in trainer.get_train_dataloader()]
    assert filled == pytest.approx(plain, rel=1e-5)


def compute(trainer: Any, batch: Any) -> float:
    trainer.model.train().zero_grad()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    loss.backward()
    return float(loss.detach())


def test_it_is_done_unasked_where_it_pays_and_the_person_is_told_why() -> None:
    long, short = compiling.choice(3600), compiling.choice(60)
    assert long.compiled and "60 minutes" in long.why and "21 minutes less" in long.why
    assert not short.compiled and "would hardly pay" in short.why
    hindered = compiling.choice(3600, "Something speaks against it.")
    assert not hindered.compiled and hindered.why == "Something speaks against it."


def test_where_it_was_not_asked_for_a_layer_that_does_not_compile_stays_plain(caplog: pytest.LogCaptureFixture) -> None:
    def fails(graph: Any, given: Any) -> Any:
        if len(given) > 1 or given[0].dim() > 1:
            raise RuntimeError("not this one")
        return graph

    class Layer(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x).relu()

    torch._dynamo.reset()
    model = torch.nn.Sequential(torch.nn.ModuleList([Layer(4, 4) for _ in range(2)]))
    first, _ = layers = list(model[0])
    given, expected = torch.ones(3, 4), [layer(torch.ones(3, 4)) for layer in layers]
    assert regional.compile_layers(model, fails, forgiving=True) == 2  # type: ignore[arg-type]
    assert [torch.equal(layer(given), e) for layer, e in zip(layers, expected, strict=True)] == [True, True]
    assert "a layer stays plain" in caplog.text and first._compiled_call_impl is None
    torch._dynamo.reset()
    regional.compile_layers(model, fails)  # type: ignore[arg-type]
    with pytest.raises(torch._dynamo.exc.TorchDynamoException):
        first(given)


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("chat, full, packed", {}, ""),
        ("chat, LoRA", {}, "changing length"),
        ("chat, full, packed", {"devices": 2}, "several devices"),
        ("chat, full, packed", {"method": "qlora"}, "quantised"),
        ("chat, full, packed", {"activation_checkpointing": True}, "computing twice"),
    ],
)
def test_what_is_not_tried_out_is_compiled_by_wish_alone(kind: str, settings: dict[str, Any], said: str) -> None:
    spec = tiny.spec_of(kind, Path("x"), Path("x"), rows=3, **settings)
    columns = ["input_ids", "labels", *(["seq_lengths"] if "packed" in kind else [])]
    rows = SimpleNamespace(train=SimpleNamespace(rows=SimpleNamespace(column_names=columns)))
    found = compiling.hindrance(spec, SimpleNamespace(terms=()), rows)  # type: ignore[arg-type]
    assert (said in found) and bool(said) == bool(found)


def test_the_decision_is_an_event_of_the_run(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a card: the arithmetic of the training against the card's speed."""
    monkeypatch.setattr(regional.compile_layers, "__defaults__", ("eager",))
    spec = tiny.spec_of("chat, full, packed", tmp_path, small_model, rows=24)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    trainer, rows, _ = assembled(spec, codec, tmp_path / "checkpoints", tiny.Diary())
    tokens = rows.train.tokens * spec.recipe.epochs
    for hours, compiled in ((1, True), (0.01, False)):
        diary = tiny.Diary()
        limit = hardware.Limit(1e6, 3600 * hours * compiling.PLAIN_SHARE * 1e6 / tokens, "", False)
        assert compiling.where_it_pays(spec, trainer, rows, limit, diary).compiled is compiled
        ((kind, step, told),) = diary.events
        assert (kind, step, told["compiled"]) == ("compiling", 0, compiled)
        assert told["seconds"] == pytest.approx(3600 * hours)
        assert ("Compiling the layers" in diary.phases) is compiled
        assert (trainer.data_collator.shape is not None) is compiled
        trainer.data_collator = replace(trainer.data_collator, shape=None)


def test_recipes_of_earlier_versions_are_read() -> None:
    assert Recipe().compiling == "auto"
    said = {value: Recipe.model_validate({"compile_layers": value}) for value in (True, False)}
    assert {value: recipe.compiling for value, recipe in said.items()} == {True: "always", False: "never"}
    assert all(Recipe.model_validate(recipe.model_dump()) == recipe for recipe in said.values())
    assert Recipe.model_validate({"compile_layers": False, "compiling": "always"}).compiling == "always"


def test_only_the_repeated_layers_are_compiled() -> None:
    class Layer(torch.nn.Linear):
        pass

    model = torch.nn.Module()
    model.head = torch.nn.Linear(4, 4)
    model.few = torch.nn.ModuleList([torch.nn.Linear(4, 4), torch.nn.Identity()])
    model.layers = torch.nn.ModuleList([Layer(4, 4) for _ in range(3)])
    assert regional.layers_of(model) == list(model.layers)
    assert regional.compile_layers(model, "eager") == 3
    assert all(layer._compiled_call_impl is not None for layer in model.layers)
    assert model.head._compiled_call_impl is None


def test_where_it_cannot_be_done_the_person_reads_why() -> None:
    with pytest.raises(UserError, match="cannot be compiled") as told:
        regional.compile_layers(torch.nn.Linear(2, 2), "eager")
    assert "no stack" in told.value.cause

    def no_compiler(graph: Any, given: Any) -> Any:
        raise RuntimeError("no C++ compiler")

    with pytest.raises(UserError) as told:
        regional.compile_layers(torch.nn.Linear(2, 2), no_compiler)  # type: ignore[arg-type]
    assert "small trial failed" in told.value.cause
