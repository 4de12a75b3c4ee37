"""The arithmetic behind the benchmark of graphics cards: weights, operations a token and limits of the published shapes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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
        "tiny", "full", "compiled", "SDPA", 100, 10.0, 2e9, 110, 121, 5.0, [0.1, 0.2, 0.4], [400.0, 500.0, 600.0]
    )
    row = found.row(4e12)
    assert (row["tokens_per_second"], row["share_of_limit"], row["limit"]) == (500.0, 0.25, 2000.0)
    assert (row["step_p50"], row["step_p95"], row["steps"]) == (0.2, 0.2, 3)
    assert row["estimate_error"] == pytest.approx(0.1)
    assert row["compile_seconds"] == pytest.approx(4.8)


class Clock:
    """Blocks take so long, and one of them runs out of memory."""

    def __init__(self, seconds: float, fails: str = "") -> None:
        self.now, self.seconds, self.fails, self.turns = 0.0, seconds, fails, list[str]()

    def trained(self, shape: str, method: str, size: gpu.Size, folder: str) -> Any:
        def warm_up(way: str) -> None:
            self.now += 30
            made.ways[way] = gpu.Found(shape, method, way, "SDPA", 100, 10.0, 2e9)

        def block(way: str) -> None:
            if f"{method} {way}" == self.fails:
                raise RuntimeError("CUDA out of memory")
            self.now += self.seconds
            self.turns.append(f"{method} {way}")
            made.ways[way].blocks.append(1.0)

        made = SimpleNamespace(method=method, ways={}, warm_up=warm_up, block=block)
        return made


def blocks_of(clock: Clock, end: float, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], dict[str, str]]:
    """How many blocks were known after each report, and what was left out."""
    monkeypatch.setattr(gpu, "Trained", clock.trained)
    monkeypatch.setattr(gpu.time, "monotonic", lambda: clock.now)
    known: list[int] = []
    left_out: dict[str, str] = {}

    def told(found: list[gpu.Found], left: dict[str, str]) -> None:
        known.append(sum(len(one.blocks) for one in found))
        left_out.update(left)

    gpu.measure("tiny", gpu.Size(), end, "", told)
    return known, left_out


def test_every_block_is_reported_and_compiled_arms_have_five_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(10)
    known, left_out = blocks_of(clock, 10_000, monkeypatch)
    assert {name: clock.turns.count(name) for name in clock.turns} == {
        "full compiled": 5, "full plain": 2, "lora compiled": 5, "lora plain": 2, "lora peft": 1,
    }  # fmt: skip
    assert sorted(set(known)) == list(range(16)) and not left_out


def test_where_time_runs_out_every_arm_has_its_first_block(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(10)
    blocks_of(clock, 1, monkeypatch)
    assert clock.turns == ["full compiled", "full plain", "lora compiled", "lora plain"]


def test_what_does_not_fit_is_named_and_the_others_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(10, fails="full plain")
    _, left_out = blocks_of(clock, 10_000, monkeypatch)
    assert left_out == {"tiny full plain": "RuntimeError: CUDA out of memory"}
    assert clock.turns.count("full compiled") == clock.turns.count("lora compiled") == 5


def test_the_table_has_a_line_for_every_arm(tmp_path: Path) -> None:
    found = gpu.Found("tiny", "full", "plain", "SDPA", 100, 10.0, 2e9, 110, 121, 5.0, [0.1, 0.2], [400.0, 500.0])
    report = {
        "device": "a card", "ceiling": 4e12, "how": "tried", "versions": {"torch": "2"}, "minutes": 1.0, "left_out": {"x": "why"},
        "correctness": {"tiny": {"loss_difference": 0.001, "gradient_cosine": 0.9999}}, "arms": [found.row(4e12)],
    }  # fmt: skip
    gpu.written(report, tmp_path / "gpu.json")
    said = (tmp_path / "gpu.md").read_text().splitlines()
    assert json.loads((tmp_path / "gpu.json").read_text()) == report
    columns = [line.count("|") for line in said if line.startswith("|")]
    assert len(columns) == 3 and len(set(columns)) == 1
    assert any("left out: x: why" in line for line in said)
