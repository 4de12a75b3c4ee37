"""A step never asks the device for a number: a graphics card would have to finish all that it was given first.

Counted here on a processor, where each such question is an operation as well: reading a number out of a tensor, or choosing
by a mask, whose result has a size that only the device knows.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch
from test_varlen import by_loop
from torch.utils._python_dispatch import TorchDispatchMode

from core.data.encoding import Codec
from core.training import token_loss, varlen
from core.training.train import assembled

pytestmark = pytest.mark.usefixtures("one_thread")
ASKS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "is_nonzero")


class Questions(TorchDispatchMode):
    """Counts operations whose answer the processor would wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.quiet = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name == "index" and any(i is not None and i.dtype == torch.bool for i in args[1])
        if (name in ASKS or by_mask) and not self.quiet:
            self.asked[name] += 1
        return func(*args, **(kwargs or {}))


def trainer_of(kind: str, folder: Path, base: Path) -> Any:
    spec = tiny.spec_of(kind, folder, base, lora_dropout=0.0)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    trainer = assembled(spec, codec, folder / "checkpoints", tiny.Diary())[0]
    trainer.create_optimizer_and_scheduler(10)
    return trainer


def asked_in_a_step(trainer: Any, questions: Questions) -> Counter[str]:
    """What the Trainer's loop does with a batch, by its own functions."""
    batches, items = trainer.get_batch_samples(iter(trainer.get_train_dataloader()), 1, trainer.args.device)
    trainer.model.train()
    with questions:
        trainer.training_step(trainer.model, batches[0], items)
        trainer._clip_grad_norm(trainer.model)
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    return questions.asked


@pytest.fixture
def as_on_a_card(monkeypatch: pytest.MonkeyPatch) -> Questions:
    """Attention by example (the loop in place of the kernel reads where examples begin; the kernel need not) and tiles."""
    questions = Questions()

    def kernel(*given: Any) -> Any:
        questions.quiet = True
        try:
            return by_loop(*given)
        finally:
            questions.quiet = False

    monkeypatch.setattr(varlen, "kernel", kernel)
    monkeypatch.setattr(varlen, "runs_on", lambda chosen: True)
    monkeypatch.setattr(token_loss, "MOST_NUMBERS", 0)
    return questions


@pytest.mark.parametrize("kind", ["chat, full, packed", "completion, full, packed"])
def test_a_step_on_packed_rows_asks_nothing(
    as_on_a_card: Questions, small_model: Path, tmp_path: Path, kind: str
) -> None:
    assert asked_in_a_step(trainer_of(kind, tmp_path, small_model), as_on_a_card) == {}


def test_the_library_s_own_step_would_ask(as_on_a_card: Questions, small_model: Path, tmp_path: Path) -> None:
    """The count is not blind."""
    trainer = trainer_of("chat, full, packed", tmp_path, small_model)
    trainer._at_tokens = False
    assert asked_in_a_step(trainer, as_on_a_card)["_local_scalar_dense"] >= 2


def test_padded_rows_ask_only_whether_there_is_padding(small_model: Path, tmp_path: Path) -> None:
    """transformers looks at the mask at most twice in a forward pass, to leave it away where it hides nothing."""
    for kind in ("classifier, LoRA", "chat, LoRA"):
        asked = asked_in_a_step(trainer_of(kind, tmp_path / kind[:4], small_model), Questions())
        assert set(asked) <= {"_local_scalar_dense"} and sum(asked.values()) <= 2, f"{kind}: {asked}"
