"""What makes a step quicker changes no result: length bucketing and the fused optimiser against the plain way.

The others of the kind have tests of their own: packing (`test_predict.py`, `test_varlen.py`), the head at learned tokens
(`test_token_loss.py`), activation checkpointing (`test_methods.py`), compiled layers (`test_compile_layers.py`), rows
from the cache (`test_token_cache.py`), several devices (`test_several_devices.py`), bf16 on a card (`test_gpu.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch

from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.training import arguments, device
from core.training.train import assembled

pytestmark = pytest.mark.usefixtures("one_thread")


def trainer_of(kind: str, folder: Path, base: Path) -> Any:
    spec = tiny.spec_of(kind, folder, base, rows=45, batch_size=4, lora_dropout=0.0)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    return assembled(spec, codec, folder / "checkpoints", tiny.Diary())[0]


def of_a_round(trainer: Any, size: int) -> tuple[float, torch.Tensor, int]:
    """Loss and gradient of all training rows together, and the places that the model worked through."""
    trainer.model.train().zero_grad()
    trainer.args.per_device_train_batch_size = trainer._train_batch_size = size
    loss, places = 0.0, 0
    for batch in trainer.get_train_dataloader():
        if "at_tokens" in batch:
            items = sum(label != -100 for row in trainer.train_dataset["labels"] for label in row[1:])
        else:
            items = len(trainer.train_dataset)
        part = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=torch.tensor(items))
        if "at_tokens" not in batch and not trainer.model_accepts_loss_kwargs:
            part = part * len(batch["labels"]) / items
        part.backward()
        loss, places = loss + part.item(), places + batch["input_ids"].numel()
    return loss, torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]), places


@pytest.mark.parametrize("kind", ["classifier, LoRA", "chat, LoRA"])
def test_batches_of_similar_lengths_sum_up_to_the_same_with_less_padding(
    kind: str, small_model: Path, tmp_path: Path
) -> None:
    trainer = trainer_of(kind, tmp_path, small_model)
    assert trainer.grouped
    bucketed = of_a_round(trainer, 4)
    trainer.grouped = False
    random_ = of_a_round(trainer, 4)
    alone = of_a_round(trainer, 1)
    assert bucketed[2] < random_[2]
    for other in (random_, alone):
        assert bucketed[0] == pytest.approx(other[0], rel=1e-5)
        torch.testing.assert_close(bucketed[1], other[1], rtol=1e-3, atol=1e-5)


def test_the_optimiser_is_the_fused_one_and_steps_as_the_plain_one(small_model: Path, tmp_path: Path) -> None:
    trainer = trainer_of("classifier, full", tmp_path, small_model)
    optimizer = trainer.create_optimizer()
    assert optimizer.defaults["fused"]
    fused = [p for group in optimizer.param_groups for p in group["params"]]
    copies = [p.detach().clone().requires_grad_() for p in fused]
    groups, at = [], 0
    for group in optimizer.param_groups:
        groups.append({"params": copies[at : at + len(group["params"])], "weight_decay": group["weight_decay"]})
        at += len(group["params"])
    plain = torch.optim.AdamW(
        groups, lr=optimizer.defaults["lr"], betas=optimizer.defaults["betas"], eps=optimizer.defaults["eps"],
        foreach=False, fused=False,
    )  # fmt: skip
    source = torch.Generator().manual_seed(0)
    for _ in range(5):
        for p, copy in zip(fused, copies, strict=True):
            p.grad = torch.randn(p.shape, generator=source)
            copy.grad = p.grad.clone()
        optimizer.step()
        plain.step()
    for p, copy in zip(fused, copies, strict=True):
        torch.testing.assert_close(p.detach(), copy.detach(), rtol=1e-5, atol=1e-7)


def test_each_device_trains_in_the_format_that_it_is_quick_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    chosen = device.choose("auto", adapter=True)
    assert (chosen.name, chosen.weights, chosen.autocast) == ("cpu", torch.float32, False)
    with pytest.raises(UserError, match="very slow in bf16"):
        device.choose("bf16", adapter=True)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a card")
    for bf16 in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=bf16: has)
        for adapter in (True, False):
            chosen = device.choose("auto", adapter)
            frozen = torch.bfloat16 if bf16 and adapter else torch.float32  # weights that learn stay in float32
            assert (chosen.name, chosen.weights, chosen.autocast) == ("cuda", frozen, bf16)
        assert device.answering_dtype("cuda") is (torch.bfloat16 if bf16 else torch.float32)
        assert device.answering_dtype("mps") is device.answering_dtype("cpu") is torch.float32


def test_one_device_is_one_device_on_a_machine_with_several_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The libraries would spread each batch over all cards that they see; and on a card no batch is waited for."""
    monkeypatch.setattr(arguments.TrainingArguments, "n_gpu", property(lambda self: getattr(self, "_n_gpu", 2)))
    cpu = device.Device("cpu", "a processor", torch.float32, False)
    for card in (cpu, device.Device("cuda", "a card", torch.float32, False)):
        for args in (
            arguments.reader(str(tmp_path), 8, Recipe(), card),
            arguments.language_model(str(tmp_path), 8, Recipe(), PreparationPlan(), card),
            arguments.pairs(str(tmp_path), 8, Recipe(), card, adapter=True),
            arguments.thumbs(str(tmp_path), 8, Recipe(), card, (1.0, 1.0)),
        ):
            assert args.n_gpu <= 1
            assert args.accelerator_config.non_blocking is args.dataloader_pin_memory is (card.name == "cuda")
