"""The estimate of memory against the measured peak, a fresh process a configuration. Run by hand:

    python -m benchmarks.memory [--out benchmarks/results/memory.json] [--other]

`--other` measures a random model of another shape (6 layers of width 384), on which nothing was fitted.

Prints a table: method, batch, length, what `core.data.cost` expects, what three real steps on the longest rows needed
(peak resident set on a CPU, most reserved on a graphics card), and the error of the estimate.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from core import methods
from core.data import cost, hardware
from core.data.model_facts import read_facts
from core.schemas.examples import Example
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.schemas.training import TrainingSpec
from core.services.models import STARTER_FOLDER

WORDS = "the parcel with a blue lamp has not arrived and nobody answers the telephone when I call about it ".split()


def configurations() -> list[dict[str, object]]:
    out: list[dict[str, object]] = []
    for method, family in product(("full", "lora"), ("causal-lm", "classifier")):
        out += [
            {"method": method, "family": family, "batch_size": b, "length": n}
            for b, n in ((4, 128), (16, 128), (8, 512))
        ]
    out += [
        {"method": "dora", "family": "causal-lm", "batch_size": 8, "length": 256},
        {"method": "full", "family": "causal-lm", "batch_size": 8, "length": 512, "activation_checkpointing": True},
        {"method": "full", "family": "causal-lm", "batch_size": 8, "length": 512, "frozen_layers": 2},
    ]
    return out


def other_model(folder: Path) -> Path:
    """A random Llama of about 15 million weights with the starter's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig.from_pretrained(
        STARTER_FOLDER, hidden_size=384, intermediate_size=1024, num_hidden_layers=6, head_dim=64
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(STARTER_FOLDER).save_pretrained(folder)
    return folder


def spec_of(what: dict[str, object], folder: str) -> TrainingSpec:
    length, family = int(str(what["length"])), str(what["family"])
    recipe = Recipe.model_validate(
        {k: v for k, v in what.items() if k not in ("family", "length", "base")} | {"epochs": 1}
    )
    text = " ".join(WORDS * (length // len(WORDS) + 2))
    rows = tuple(
        Example(row_id=str(n), text=f"{n} {text}", label="ab"[n % 2] if family == "classifier" else None)
        for n in range(4 * recipe.batch_size)
    )
    return TrainingSpec(
        run_id="memory",
        family=family,
        folder=folder,
        base_folder=str(what.get("base", STARTER_FOLDER)),
        plan=PreparationPlan(max_length=length, packing=False),
        recipe=recipe,
        labels=("a", "b") if family == "classifier" else (),
        train=rows,
        validation=rows[: 2 * recipe.batch_size],
    )


class _Quiet:
    """A recorder that keeps nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: "run" if name == "wish" else False


def measure_one(what: dict[str, object]) -> None:
    from core.training.dry_run import measure

    with tempfile.TemporaryDirectory() as folder:
        found = measure(spec_of(what, folder), _Quiet())  # type: ignore[arg-type]
    print("RESULT " + found.model_dump_json())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--other", action="store_true")
    arguments = parser.parse_args()
    if arguments.one:
        measure_one(json.loads(arguments.one))
        return
    base, machine = STARTER_FOLDER, hardware.look()
    if arguments.other:
        base = other_model(Path(tempfile.mkdtemp()))
    facts = read_facts(base, "model", "folder" if arguments.other else "starter")
    rows = []
    print(f"{'method':8} {'task':11} {'batch':>5} {'length':>6} {'expected':>9} {'measured':>9} {'error':>7}")
    for what in [{**what, "base": str(base)} for what in configurations()]:
        command = [sys.executable, "-m", "benchmarks.memory", "--one", json.dumps(what)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
        measured = json.loads(line.removeprefix("RESULT "))["peak_memory"]
        recipe = spec_of(what, "").recipe
        length, classifier = int(str(what["length"])), what["family"] == "classifier"
        expected = cost.fit(facts, recipe, methods.get(recipe.method), length, classifier, machine).needed
        error = expected / measured - 1
        del what["base"]
        rows.append({**what, "expected": expected, "measured": measured, "error": round(error, 4)})
        extra = "+" if len(what) > 4 else ""
        print(
            f"{recipe.method + extra:8} {what['family']:11} {recipe.batch_size:5} {length:6} {expected / 2**20:7.0f} M "
            f"{measured / 2**20:7.0f} M {100 * error:6.1f}%"
        )
    errors = sorted(abs(float(str(r["error"]))) for r in rows)
    print(f"median error {100 * errors[len(errors) // 2]:.1f}%, worst {100 * errors[-1]:.1f}%, on {machine.title}")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps({"machine": machine.title, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
