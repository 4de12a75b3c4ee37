"""The arithmetic behind the benchmark of graphics cards: weights, operations a token and limits of the published shapes."""

from __future__ import annotations

import pytest
import torch

from benchmarks import gpu
from core.training import hardware, loading

CEILING = 790e12  # bf16 FLOP/s of one H200, as measured elsewhere
LIMITS = {  # tokens a second at a mean context of 1,024: full, and an adapter without its own few weights
    "llama-3.2-1b": (103_700, 153_600),
    "qwen3-0.6b": (201_000, 289_000),
    "llama-3.1-8b": (17_200, 25_600),
}
PARAMETERS = {
    "llama-3.2-1b": 1_235_814_400,
    "qwen3-0.6b": 596_049_920,
    "llama-3.1-8b": 8_030_261_248,
}  # of the model cards


@pytest.mark.parametrize("shape", LIMITS)
def test_weights_and_limits_are_those_that_are_known(shape: str) -> None:
    assert gpu.facts_of(shape).parameters == PARAMETERS[shape]
    model = gpu.model_of(gpu.config_of(shape), "meta", torch.bfloat16)
    full = hardware.flops_per_token(model, False, 1024.0)
    assert pytest.approx(LIMITS[shape][0], rel=0.005) == CEILING / full

    adapted = loading.prepared(model, "causal-lm", gpu.recipe_of("lora", gpu.Size()))
    own = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    lora = hardware.flops_per_token(adapted, True, 1024.0)
    assert pytest.approx(LIMITS[shape][1], rel=0.005) == CEILING / (lora - 6 * own)
    assert own < 0.02 * gpu.facts_of(shape).parameters


def test_documents_fill_their_rows_and_batches_that_do_not_fit_get_fewer_rows() -> None:
    size = gpu.Size()
    lengths = gpu.documents(size)
    assert [sum(row) for row in lengths] == [size.width] * size.rows
    assert 600 < hardware.mean_context([n for row in lengths for n in row]) < 1400
    assert gpu.fitting("llama-3.2-1b", size, 140 * 10**9).rows == size.rows
    assert gpu.fitting("llama-3.1-8b", size, 40 * 10**9).rows < size.rows


def test_the_share_of_the_limit_is_tokens_times_their_cost_over_the_ceiling() -> None:
    found = gpu.Found(
        "tiny", "full", "SDPA", False, 100, 10.0, 2e9, 110, 121, 5.0, [0.1, 0.2, 0.4], [400.0, 500.0, 600.0]
    )
    row = found.row(4e12)
    assert (row["tokens_per_second"], row["share_of_limit"], row["limit"]) == (500.0, 0.25, 2000.0)
    assert (row["step_p50"], row["step_p95"]) == (0.2, 0.2)
    assert row["estimate_error"] == pytest.approx(0.1)
    assert row["compile_seconds"] == 0.0
