"""Whole trainings on an NVIDIA graphics card in bf16. Skipped where there is none.

The tiny model of the other tests has attention heads that no kernel of a card takes, so these use one of a usual shape.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import small_model as small
import tiny_training as tiny
import torch

from core import methods
from core.data import cost
from core.schemas.models import ModelFacts
from core.training import device, predictors
from core.training.dry_run import measure
from core.training.train import train

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA graphics card")]
needs_bits = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
SHAPE = {
    "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 layers with heads of 64 numbers, and the tokenizer of the tiny model."""
    from transformers import AutoConfig, LlamaForCausalLM

    folder = small.build(tmp_path_factory.mktemp("model"))
    config = AutoConfig.from_pretrained(folder)
    for name, value in SHAPE.items():
        setattr(config, name, value)
    config.head_dim = 64
    torch.manual_seed(7)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def last(diary: tiny.Diary, split: str = "validation") -> tuple[float, float]:
    """Loss before the first step and at the end."""
    points = diary.points[split, "loss"]
    return points[0], points[max(points)]


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("classifier, full", "full"),
        ("classifier, LoRA", "lora"),
        ("chat, full, packed", "full"),
        ("chat, LoRA", "lora"),
        pytest.param("chat, LoRA", "qlora", marks=needs_bits),
        pytest.param("classifier, LoRA", "qlora", marks=needs_bits),
    ],
)
def test_a_model_learns_in_bf16_and_answers_afterwards(kind: str, method: str, model: Path, tmp_path: Path) -> None:
    rate = 1e-3 if method == "full" else 5e-3
    spec, diary = tiny.spec_of(kind, tmp_path, model, method=method, learning_rate=rate, precision="auto"), tiny.Diary()
    result = train(spec, diary)
    assert result.precision == "bf16"
    before, after = last(diary)
    assert after < 0.95 * before
    assert result.peak_memory > 0
    tuned = predictors.tuned(spec.folder, spec.plan)
    if spec.family == "classifier":
        rows = tuned.classify([e.text for e in spec.validation])
        right = sum(
            row.index(max(row)) == tiny.LABELS.index(e.label or "")
            for row, e in zip(rows, spec.validation, strict=True)
        )
        assert right > len(rows) / 2
    else:
        scores = tuned.score([e.prompt for e in spec.validation], [e.reference for e in spec.validation])
        assert sum(s.nll for s in scores) / sum(s.tokens for s in scores) == pytest.approx(after, rel=0.05)


def test_packed_rows_are_read_by_example_and_the_losses_are_those_of_sdpa(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from core.training import varlen

    def losses(name: str) -> list[float]:
        diary = tiny.Diary()
        train(tiny.spec_of("chat, full, packed", tmp_path / name, model, learning_rate=1e-4, epochs=1), diary)
        return list(diary.points["batch", "loss"].values())

    ours = losses("ours")
    assert "varlen attention is not used" not in caplog.text
    monkeypatch.setattr(varlen, "runs_on", lambda chosen: False)
    assert ours == pytest.approx(losses("sdpa"), rel=0.02)


def test_a_step_in_bf16_is_close_to_one_in_float32(model: Path, tmp_path: Path) -> None:
    found = []
    for precision in ("float32", "bf16"):
        diary = tiny.Diary()
        spec = tiny.spec_of(
            "chat, full, packed", tmp_path / precision, model, learning_rate=1e-4, epochs=1, precision=precision
        )
        train(spec, diary)
        found.append(list(diary.points["batch", "loss"].values()))
    assert found[1] == pytest.approx(found[0], rel=0.02)


def test_a_compiled_training_has_the_losses_of_a_plain_one(model: Path, tmp_path: Path) -> None:
    found = []
    for compiled in ("never", "always"):
        diary = tiny.Diary()
        settings: dict[str, Any] = {"learning_rate": 1e-4, "epochs": 1, "compiling": compiled}
        train(tiny.spec_of("chat, full, packed", tmp_path / compiled, model, **settings), diary)
        found.append(list(diary.points["batch", "loss"].values()))
    assert found[1] == pytest.approx(found[0], rel=0.02)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_estimate_of_memory_is_near_what_the_card_had_to_give(method: str, tmp_path: Path) -> None:
    """A model large enough that its own memory, and not the rounding of the allocator, is what is measured."""
    from transformers import LlamaConfig, LlamaForCausalLM

    base = small.build(tmp_path / "base")
    config = LlamaConfig(
        vocab_size=32_000, hidden_size=1024, intermediate_size=2816, num_hidden_layers=12, num_attention_heads=16,
        num_key_value_heads=8, tie_word_embeddings=True, max_position_embeddings=512,
    )  # fmt: skip
    whole = LlamaForCausalLM(config)
    whole.save_pretrained(base)
    facts = ModelFacts(
        key="m", title="m", source="folder", folder=str(base), parameters=whole.num_parameters(), hidden_size=1024,
        embedding_parameters=32_000 * 1024, intermediate_size=2816, layers=12, heads=16, key_value_heads=8, vocabulary=32_000,
    )  # fmt: skip
    del whole
    spec = tiny.spec_of("completion, full, packed", tmp_path / "run", base, rows=400, method=method, batch_size=16)
    device.release_memory()
    torch.cuda.reset_peak_memory_stats()
    found = measure(spec, tiny.Diary())
    parts = cost.memory_parts(facts, spec.recipe, methods.get(method), spec.plan.max_length, False, "cuda")
    expected = sum(parts.values()) - parts["libraries"]  # the driver's own part is not the allocator's
    assert found.peak_memory == pytest.approx(expected, rel=0.25)
