"""The estimate of memory against what was measured (`benchmarks/memory.py`): the committed tables are what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import methods
from core.data import cost, hardware
from core.data.model_facts import read_facts
from core.schemas.families import FAMILIES
from core.schemas.models import ModelFacts
from core.schemas.recipe import Recipe
from core.services.models import STARTER_FOLDER

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
PROCESSOR = hardware.Hardware(
    device="cpu", title="cpu", cores=2, memory=2**34, memory_free=2**34, gpu_memory=0, disk_free=0, speed=1e10
)


def expected(facts: ModelFacts, family: str, length: int, **recipe: object) -> int:
    chosen = Recipe.model_validate({**recipe, "epochs": 1})
    return cost.fit(
        facts, chosen, methods.get(chosen.method), length, FAMILIES[family].reads, PROCESSOR
    ).needed  # fmt: skip


def measured() -> list[tuple[str, float, float, int]]:
    """(name, measured, said in the table, expected now) of every committed row."""
    starter = read_facts(STARTER_FOLDER, "starter", "starter")
    rows = []
    for row in json.loads((RESULTS / "memory.json").read_text())["rows"]:
        what = {k: v for k, v in row.items() if k not in ("expected", "measured", "error")}
        rows.append((str(what), row["measured"], row["expected"], expected(starter, **what)))
    for row in json.loads((RESULTS / "memory_training.json").read_text())["rows"]:
        what = {k: v for k, v in row["what"].items() if k != "base"}
        facts = ModelFacts.model_validate(row["facts"])
        rows.append((str(row["what"]), row["training"], row["expected"], expected(facts, **what)))
    return rows


@pytest.mark.parametrize(("name", "needed", "said", "now"), measured())
def test_every_measured_peak_is_met_within_ten_percent(name: str, needed: float, said: float, now: int) -> None:
    assert abs(now / needed - 1) < 0.1, name
    assert now == pytest.approx(said, rel=0.001), "the table of benchmarks/results says what the code says"


def test_a_t5_keeps_its_attention_and_an_encoder_decoder_all_of_its_logits() -> None:
    t5 = ModelFacts(
        key="t5", title="", source="folder", folder="", model_type="t5", causal=False, encoder_decoder=True, parameters=6 * 10**7,
        hidden_size=512, intermediate_size=2048, layers=12, heads=8, key_value_heads=8, vocabulary=32_128,
    )  # fmt: skip
    bart = t5.model_copy(update={"model_type": "bart"})
    short, long = (
        expected(t5, "seq2seq", n, method="full", batch_size=8)
        - expected(bart, "seq2seq", n, method="full", batch_size=8)
        for n in (128, 512)
    )
    assert long / short == pytest.approx(16), "with the square of the length"
    decoder = bart.model_copy(update={"encoder_decoder": False, "causal": True})
    more = expected(bart, "seq2seq", 512, method="full", batch_size=8) - expected(
        decoder, "causal-lm", 512, method="full", batch_size=8
    )
    assert more == 8 * 512 * 32_128 * 12 - 2**29
