"""Regional compile: loss and gradients of the plain path, the same names of weights, and words where it cannot be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch

from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.training import regional
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
    compiled = trainer_of(kind, tmp_path, small_model, diary, compile_layers=True)
    assert "Compiling the layers" in diary.phases and "Compiling the layers" not in plain_diary.phases
    assert plain.model.state_dict().keys() == compiled.model.state_dict().keys()
    expected, found = step(plain), step(compiled)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0, "nothing was compiled"
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-6)


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
