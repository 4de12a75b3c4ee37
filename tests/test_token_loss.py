"""The head at the tokens that count: the same loss, accuracy and gradients as the library's own way, with less work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch

from core.data.encoding import Codec
from core.training import one_pass, token_loss
from core.training.collators import for_trainer
from core.training.train import assembled
from core.training.trainers import LanguageTrainer

pytestmark = pytest.mark.usefixtures("one_thread")


def trainer_of(kind: str, folder: Path, base: Path) -> LanguageTrainer:
    spec = tiny.spec_of(kind, folder, base, lora_dropout=0.0)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    made, _, _ = assembled(spec, codec, folder / "checkpoints", tiny.Diary())
    assert isinstance(made, LanguageTrainer)
    return made


def measured(trainer: LanguageTrainer, batch: dict[str, Any], items: int | None) -> tuple[float, float, torch.Tensor]:
    """Loss, token accuracy and all gradients of one batch."""
    trainer.model.zero_grad()
    trainer._metrics["train"].clear()
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, dict(batch), num_items_in_batch=items)
    loss.backward()
    found = [p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]
    logs = {"loss": 1.0}
    trainer.log(logs)
    return float(loss.detach()), logs["mean_token_accuracy"], torch.cat(found)


@pytest.mark.parametrize("kind", ["chat, full, packed", "chat, LoRA", "completion, full, packed"])
@pytest.mark.parametrize("items", [None, 500], ids=["of the batch", "of the whole step"])
def test_loss_accuracy_and_gradients_are_those_of_the_plain_path(
    kind: str, items: int | None, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = trainer_of(kind, tmp_path, small_model)
    batch = next(iter(trainer.get_train_dataloader()))
    quick = measured(trainer, batch, items)
    monkeypatch.setattr(token_loss, "MOST_NUMBERS", 0)  # nothing may stand in memory at once: the tiles, as on a card
    tiles = measured(trainer, batch, items)
    monkeypatch.setattr(one_pass, "tile_tokens", lambda words, size: 16)
    small_tiles = measured(trainer, batch, items)
    assert len(batch["at_tokens"]) > 32
    trainer._at_tokens = False  # trl's own way
    plain = measured(trainer, batch, items)
    for ours in (quick, tiles, small_tiles):
        assert ours[:2] == pytest.approx(plain[:2], rel=1e-5)
        torch.testing.assert_close(ours[2], plain[2], rtol=1e-4, atol=1e-6)


def test_the_head_works_at_no_other_place(small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of("chat, LoRA", tmp_path, small_model)
    batch = next(iter(trainer.get_train_dataloader()))
    seen: list[int] = []
    head = trainer.model.get_output_embeddings()
    head.register_forward_hook(lambda module, given, out: seen.append(out.shape[0]))
    measured(trainer, batch, None)
    wanted = int((batch["labels"][:, 1:] != -100).sum())
    assert seen == [wanted] and wanted < batch["labels"].numel() / 2


def test_a_head_that_does_more_than_one_product_is_left_to_the_library(small_model: Path, tmp_path: Path) -> None:
    trainer = trainer_of("chat, LoRA", tmp_path, small_model)
    base = trainer.model.get_base_model()
    base.config.final_logit_softcapping = 30.0
    assert not token_loss.teach(trainer.model)


def test_a_batch_without_a_token_that_counts_is_no_step_into_nothing(small_model: Path, tmp_path: Path) -> None:
    trainer = trainer_of("chat, LoRA", tmp_path, small_model)
    batch = dict(next(iter(trainer.get_train_dataloader())))
    batch["labels"] = torch.full_like(batch["labels"], -100)
    batch |= for_trainer(batch["labels"], 7)
    loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=7)
    loss.backward()
    assert float(loss) == 0.0
    assert not any(p.grad.any() for p in trainer.model.parameters() if p.grad is not None)
    trainer.log(logs := {"loss": 1.0})
    assert "mean_token_accuracy" not in logs


def test_a_head_in_one_pass_gives_the_gradients_of_the_whole_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a bias, a factor on the loss as accumulation has it, and in bf16 under autocast too."""
    monkeypatch.setattr(one_pass, "tile_tokens", lambda words, size: 16)
    torch.manual_seed(0)
    hidden, weight, bias = torch.randn(50, 24), torch.randn(300, 24), torch.randn(300)
    gold = torch.randint(300, (50,))
    for autocast, tolerance in ((False, 1e-5), (True, 0.02)):
        found = []
        for tiled in (True, False):
            given = [x.clone().requires_grad_() for x in (hidden, weight, bias)]
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast and tiled):
                if tiled:
                    loss, first = one_pass.summed(*given, gold)
                else:
                    logits = given[0] @ given[1].t() + given[2]
                    loss = torch.nn.functional.cross_entropy(logits, gold, reduction="sum")
                    first = (logits.argmax(-1) == gold).sum()
            torch.autograd.grad(loss, given[0], retain_graph=True)  # as adversarial training looks first
            (loss / 7).backward()
            found.append((float(loss.detach()), int(first), [x.grad for x in given]))
        (ours, hits, gradients), (exact, expected_hits, expected) = found
        assert ours == pytest.approx(exact, rel=tolerance) and abs(hits - expected_hits) <= 2 * autocast
        for a, b in zip(gradients, expected, strict=True):
            assert float((a - b).norm() / b.norm()) < tolerance


@pytest.mark.parametrize("words", [512, 32_000, 128_256, 151_936])
def test_a_tile_takes_half_a_gigabyte_at_most_and_goes_into_whole_blocks(words: int) -> None:
    tokens = one_pass.tile_tokens(words, 2)
    assert tokens % 128 == 0 and 1024 <= tokens <= 4096
    assert tokens * words * 2 <= 2**29
