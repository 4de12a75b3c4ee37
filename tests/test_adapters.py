"""LoRA with fewer passes: loss and gradients of peft's own, in every format, and models that write between two steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.schemas.recipe import Recipe
from core.training import adapters, loading

pytestmark = pytest.mark.usefixtures("one_thread")
IDS = torch.arange(5, 35)[None]


def model_of(folder: Path, dtype: torch.dtype, method: str = "lora") -> Any:
    torch.manual_seed(1)
    base = loading.base_model(folder, "causal-lm", dtype)
    model = loading.prepared(base, "causal-lm", Recipe(method=method, lora_dropout=0.0))
    for name, module in model.named_modules():
        if name.endswith(("lora_A.default", "lora_B.default")):
            torch.nn.init.normal_(module.weight, std=0.1)
    return model.train()


def step(model: Any, autocast: bool) -> tuple[float, torch.Tensor]:
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        loss = model(input_ids=IDS, labels=IDS).loss
    loss.backward()
    return loss.item(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def test_in_float32_it_is_pefts_own_to_the_last_digits(small_model: Path) -> None:
    model = model_of(small_model, torch.float32)
    expected = step(model, False)
    assert adapters.quicken(model) == sum(name.endswith("lora_A") for name, _ in model.named_modules()) > 0
    found = step(model, False)
    assert found[0] == pytest.approx(expected[0], rel=1e-6)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-6)


def test_in_bf16_it_is_no_further_from_the_exact_numbers_than_pefts_own(small_model: Path) -> None:
    """Both round; ours rounds the sum once."""
    exact = step(model_of(small_model, torch.bfloat16).float(), False)
    ours = model_of(small_model, torch.bfloat16)
    found = step(ours, True)
    adapters.as_peft_made_it(ours)
    pefts = step(ours, True)
    assert not torch.equal(found[1], pefts[1]), "nothing was compared"

    def off(other: tuple[float, torch.Tensor]) -> float:
        return float((other[1] - exact[1]).norm() / exact[1].norm())

    assert found[0] == pytest.approx(exact[0], rel=0.01)
    assert off(found) < 1.1 * off(pefts) + 1e-3


def test_an_adapter_that_is_switched_off_or_merged_is_out_of_the_way(small_model: Path) -> None:
    model = model_of(small_model, torch.float32)
    adapters.quicken(model)
    with torch.no_grad():
        tuned = model(input_ids=IDS).logits
        with model.disable_adapter():
            base = model(input_ids=IDS).logits
        plain = loading.base_model(small_model, "causal-lm", torch.float32)(input_ids=IDS).logits
        model.merge_adapter()
        merged = model(input_ids=IDS).logits
    torch.testing.assert_close(base, plain)
    torch.testing.assert_close(merged, tuned, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(tuned, plain)


@pytest.mark.parametrize("method", ["lora", "rslora", "dora"])
def test_a_model_in_bf16_writes_between_two_steps_where_nothing_is_cast(small_model: Path, method: str) -> None:
    """Samples are generated outside of the training's autocast, while the adapter is kept in float32."""
    model = model_of(small_model, torch.bfloat16, method).eval()
    written = model.generate(input_ids=IDS, max_new_tokens=3, do_sample=False)
    assert written.shape[1] > IDS.shape[1]
