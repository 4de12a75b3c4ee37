"""Packed rows without a mask: attention by example gives the loss and the gradients of SDPA, and of each example alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch
from stand_in_flash import by_loop, on_a_processor
from torch.nn.functional import scaled_dot_product_attention

from core.data.encoding import Codec
from core.training import device, loading, varlen
from core.training.train import assembled, train

pytestmark = pytest.mark.usefixtures("one_thread")
CARD = torch.cuda.is_available()


@pytest.fixture
def looped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is a loop, and it runs on every device."""
    monkeypatch.setattr(varlen, "kernel", by_loop)
    monkeypatch.setattr(varlen, "runs_on", lambda chosen: True)


def trainer_of(kind: str, folder: Path, base: Path, **recipe: Any) -> Any:
    spec = tiny.spec_of(kind, folder, base, lora_dropout=0.0, **recipe)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    return assembled(spec, codec, folder / "checkpoints", tiny.Diary())[0]


def measured(trainer: Any, batches: list[Any]) -> tuple[float, torch.Tensor]:
    """Loss a learned token over the batches together, and its gradient."""
    trainer.model.train().zero_grad()
    items = sum(len(batch["at_tokens"]) for batch in batches)
    loss, where = 0.0, next(trainer.model.parameters()).device
    for batch in batches:
        batch = {k: v.to(where) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
        part = trainer.compute_loss(trainer.model, batch, num_items_in_batch=items)
        part.backward()
        loss += part.item()
    return loss, torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])


@pytest.mark.parametrize("kind", ["chat, full, packed", "completion, full, packed"])
def test_loss_and_gradients_are_those_of_sdpa_and_of_unpacked_rows(
    looped: None, small_model: Path, tmp_path: Path, kind: str
) -> None:
    trainer = trainer_of(kind, tmp_path, small_model)
    assert trainer.model.config._attn_implementation == varlen.NAME
    packed = list(trainer.get_train_dataloader())
    assert all("cu_seq_lens_q" in batch for batch in packed)
    ours = measured(trainer, packed)

    trainer.model.set_attn_implementation("sdpa")
    trainer.data_collator = replace(trainer.data_collator, by_example=False)
    with_a_mask = list(trainer.get_train_dataloader())
    assert not any("cu_seq_lens_q" in batch for batch in with_a_mask)
    sdpa = measured(trainer, with_a_mask)

    alone = []
    for row in trainer.train_dataset:
        at = 0
        for length in row["seq_lengths"]:
            one = {name: row[name][at : at + length] for name in ("input_ids", "labels")}
            alone.append(trainer.data_collator([one]))
            at += length
    assert len(alone) > len(trainer.train_dataset)
    unpacked = measured(trainer, alone)

    for other in (sdpa, unpacked):
        assert ours[0] == pytest.approx(other[0], rel=1e-5)
        torch.testing.assert_close(ours[1], other[1], rtol=1e-4, atol=1e-6)


def test_a_sliding_window_reaches_the_kernel(looped: None) -> None:
    query, key, value = torch.randn(3, 1, 4, 12, 8)
    mask = torch.ones(12, 12, dtype=torch.bool).tril().triu(-2)
    mask[7:, :7] = False
    told = varlen.boundaries([[7]], 12)
    told.pop("attention_mask")
    out, _ = varlen.attend(torch.nn.Module(), query, key, value, None, sliding_window=3, **told)
    expected = scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)
    torch.testing.assert_close(out, expected)


def test_batches_without_boundaries_are_evaluated_as_before(looped: None, small_model: Path, tmp_path: Path) -> None:
    trainer = trainer_of("chat, full, packed", tmp_path, small_model)
    ours = trainer.evaluate()
    trainer.model.set_attn_implementation("sdpa")
    plain = trainer.evaluate()
    assert ours["eval_validation_loss"] == pytest.approx(plain["eval_validation_loss"], rel=1e-6)


def test_a_kernel_that_looks_across_a_boundary_is_not_used(
    looped: None, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def blind(query: Any, key: Any, value: Any, starts: Any, longest: int, scale: Any, left: int) -> Any:
        return by_loop(query, key, value, torch.tensor([0, len(query)]), len(query), scale, left)

    def broken(*_: Any) -> Any:
        raise RuntimeError("no kernel for this card")

    for kernel, said in ((blind, "it is off by"), (broken, "no kernel for this card")):
        monkeypatch.setattr(varlen, "kernel", kernel)
        trainer = trainer_of("chat, full, packed", tmp_path, small_model)
        assert trainer.model.config._attn_implementation == "sdpa"
        assert not trainer.data_collator.by_example
        assert said in caplog.text


def test_a_model_that_drops_attention_at_random_stays_as_it_is(looped: None, small_model: Path) -> None:
    model = loading.base_model(small_model, "causal-lm", torch.float32)
    chosen = device.choose("float32", False)
    model.config.attention_dropout = 0.1
    assert not varlen.adopt(model, chosen)
    model.config.attention_dropout = 0.0
    assert varlen.adopt(model, chosen)


def test_boundaries_that_get_lost_on_the_way_are_an_error(looped: None, small_model: Path, tmp_path: Path) -> None:
    trainer = trainer_of("chat, full, packed", tmp_path, small_model)
    batch = dict(next(iter(trainer.get_train_dataloader())))
    batch.pop("cu_seq_lens_q")
    with pytest.raises(RuntimeError, match="boundaries"):
        trainer.compute_loss(trainer.model, batch)


def test_a_training_ends_as_with_sdpa_and_its_model_names_no_attention(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tiny.Diary()
    train(tiny.spec_of("chat, full, packed", tmp_path / "plain", small_model, epochs=1), plain)
    monkeypatch.setattr(varlen, "kernel", by_loop)
    monkeypatch.setattr(varlen, "runs_on", lambda chosen: True)
    ours = tiny.Diary()
    spec = tiny.spec_of("chat, full, packed", tmp_path / "ours", small_model, epochs=1)
    train(spec, ours)
    for split in ("batch", "validation"):
        assert ours.points[split, "loss"] == pytest.approx(plain.points[split, "loss"], rel=1e-4)
    assert varlen.NAME not in (tmp_path / "ours" / "model" / "config.json").read_text()


def test_on_a_processor_and_in_float32_everything_stays_as_it_was(small_model: Path, tmp_path: Path) -> None:
    assert not varlen.runs_on(device.choose("float32", False))
    trainer = trainer_of("chat, full, packed", tmp_path, small_model)
    assert trainer.model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("told", [True, False], ids=["knows shared keys", "does not"])
@pytest.mark.parametrize("left", [-1, 7], ids=["full", "window"])
def test_torchs_operator_is_called_so_that_it_computes_what_the_loop_computes(
    told: bool, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by a version of torch that cannot be told that heads share their keys (2.11)."""
    calls: list[dict[str, Any]] = []
    real = varlen.varlen_attn

    def watched(*given: Any, **options: Any) -> Any:
        calls.append(options)
        return real(*given, **options)

    monkeypatch.setattr(varlen, "varlen_attn", watched)
    monkeypatch.setattr(varlen, "SHARES_KEYS", told)
    torch.manual_seed(0)
    starts = torch.tensor([0, 5, 33, 34, 48], dtype=torch.int32)
    weights = torch.randn(48, 4, 8)
    found = []
    for kernel in (varlen.torch_kernel, by_loop):
        torch.manual_seed(1)
        given = [torch.randn(48, heads, 8, requires_grad=True) for heads in (4, 2, 2)]
        with on_a_processor():
            out = kernel(*given, starts, 32, 0.3, left)
            (out * weights).sum().backward()
        found.append([out, *(x.grad for x in given)])
    assert [("enable_gqa" in options) for options in calls] == [told]
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not CARD, reason="no NVIDIA graphics card")
@pytest.mark.parametrize("heads", [(8, 8), (8, 2)], ids=["own keys", "shared keys"])
@pytest.mark.parametrize("left", [-1, 31], ids=["full", "window"])
def test_the_kernel_of_the_card_computes_what_the_loop_computes(heads: tuple[int, int], left: int) -> None:
    torch.manual_seed(0)
    starts = torch.tensor([0, 5, 133, 134, 390, 512], dtype=torch.int32, device="cuda")
    shapes = [(512, n, 64) for n in (heads[0], heads[1], heads[1])]
    exact = [torch.randn(shape, device="cuda", requires_grad=True) for shape in shapes]
    rounded = [x.detach().bfloat16().requires_grad_() for x in exact]
    weights = torch.randn(shapes[0], device="cuda")
    expected = by_loop(*exact, starts, 256, 0.125, left)
    found = varlen.torch_kernel(*rounded, starts, 256, 0.125, left)
    (expected * weights).sum().backward()
    (found.float() * weights).sum().backward()
    pairs = [(found.float(), expected), *((a.grad.float(), b.grad) for a, b in zip(rounded, exact, strict=True))]
    for ours, reference in pairs:
        assert float((ours - reference).norm() / reference.norm()) < 0.02


@pytest.mark.gpu
@pytest.mark.skipif(not CARD, reason="no NVIDIA graphics card")
def test_a_model_on_the_card_adopts_the_kernel(small_model: Path, tmp_path: Path) -> None:
    """The tiny model's heads are of 12 numbers, which no flash kernel takes: one with heads of 64."""
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=512, hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2,
        )
    ).to("cuda", torch.bfloat16)  # fmt: skip
    assert varlen.adopt(model, device.choose("auto", True))
    assert model.config._attn_implementation == varlen.NAME
